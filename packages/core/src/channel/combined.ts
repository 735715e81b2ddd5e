import { ClientCertificateError } from '../errors';
import type { CertificateRequest } from '../request';
import type { TrustStore } from '../trust/trust-store';
import {
  type ChannelContext,
  type ChannelEvidence,
  type ChannelProof,
  checkEvidence,
  untrusted,
} from './channel-proof';

/**
 * Channel proof that holds when every one of several does. Tried in order, up to the first that fails.
 *
 * @throws {TypeError} for fewer than two proofs.
 */
export function allOf(...proofs: readonly ChannelProof[]): ChannelProof {
  checkProofs('allOf', proofs);
  return combine(
    'all-of',
    proofs,
    proofs.some(({ isSufficient }) => isSufficient),
    async (request, context) => {
      const evidence: ChannelEvidence[] = [];
      for (const proof of proofs) evidence.push(await evidenceOf(proof, request, context));
      return Object.freeze({ proof: 'all-of', evidence: Object.freeze(evidence) });
    },
  );
}

/**
 * Channel proof that holds when one of several does: while one way in replaces another, or for two distributions with one
 * origin. Tried in order, up to the first that holds, whose evidence it is. Only as strong as its weakest.
 *
 * @throws {TypeError} for fewer than two proofs.
 */
export function anyOf(...proofs: readonly ChannelProof[]): ChannelProof {
  checkProofs('anyOf', proofs);
  return combine(
    'any-of',
    proofs,
    proofs.every(({ isSufficient }) => isSufficient),
    async (request, context) => {
      const refusals: unknown[] = [];
      for (const proof of proofs) {
        try {
          return await evidenceOf(proof, request, context);
        } catch (error) {
          if (!(error instanceof ClientCertificateError)) throw error;
          refusals.push(error);
        }
      }
      throw untrusted('any-of', 'none-holds', new AggregateError(refusals));
    },
  );
}

function combine(
  proof: 'all-of' | 'any-of',
  proofs: readonly ChannelProof[],
  isSufficient: boolean,
  prove: (request: CertificateRequest, context: ChannelContext) => Promise<ChannelEvidence>,
): ChannelProof {
  return Object.freeze({
    proof,
    consumedHeaders: Object.freeze([...new Set(proofs.flatMap(({ consumedHeaders }) => consumedHeaders))]),
    isSufficient,
    readsTlsPeer: proofs.some(({ readsTlsPeer }) => readsTlsPeer),
    checkTrust(clientTrust: TrustStore): void {
      for (const member of proofs) member.checkTrust(clientTrust);
    },
    prove,
  } satisfies ChannelProof);
}

async function evidenceOf(
  proof: ChannelProof,
  request: CertificateRequest,
  context: ChannelContext,
): Promise<ChannelEvidence> {
  const answer = await proof.prove(request, context);
  checkEvidence(answer);
  return answer;
}

function checkProofs(name: string, proofs: readonly ChannelProof[]): void {
  if (
    proofs.length < 2 ||
    !proofs.every((proof) => typeof (proof as Partial<ChannelProof> | undefined)?.prove === 'function')
  ) {
    throw new TypeError(`${name} needs two or more channel proofs.`);
  }
}
