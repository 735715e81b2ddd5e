import { type ClientCertificateError, TrustStore } from '@peercert/core';
import { TEST_TIME } from '@peercert/testkit';
import { buildPath, type PathQuery } from '../../packages/core/src/path/build-path';
import { resolveRules, type ValidationRules } from '../../packages/core/src/path/rules';
import { verifySignature } from '../../packages/core/src/path/verify-signature';
import { Certificate } from '../../packages/core/src/x509/certificate';

interface Minted {
  readonly der: Buffer;
}

/** A path query in minted certificates. */
export interface SearchFields extends Partial<Omit<PathQuery, 'endEntity' | 'presented' | 'trust' | 'time' | 'rules'>> {
  readonly endEntity: Minted;
  readonly presented?: readonly Minted[];
  readonly anchors: readonly Minted[];
  /** Of the operator. */
  readonly intermediates?: readonly Minted[];
  readonly time?: Date;
  /** Default: every rule its default word. */
  readonly rules?: ValidationRules;
}

export interface SearchResult {
  /** DER, end-entity certificate first, trust anchor last. */
  readonly path?: readonly Buffer[];
  /** What the path is good for. */
  readonly policies?: readonly string[];
  readonly refusal?: ClientCertificateError;
  readonly holdsUntil?: number;
  /** Every signature question asked, as `[certificate, issuer]` in DER. */
  readonly questions: readonly (readonly [Buffer, Buffer])[];
}

/** Runs a path search to its end, answering every signature question inline: P-256, Ed25519 and RSA keys only. */
export function search(fields: SearchFields): SearchResult {
  const { endEntity, presented = [], anchors, intermediates = [], time = TEST_TIME, rules = {}, ...rest } = fields;
  const generator = buildPath({
    endEntity: Certificate.copyOf(endEntity.der),
    presented: presented.map(({ der }) => Certificate.copyOf(der)),
    trust: TrustStore.fromDer(
      anchors.map(({ der }) => der),
      { intermediates: intermediates.map(({ der }) => der) },
    ),
    time: time.getTime(),
    requiredUsage: 'clientAuth',
    maxIntermediates: 8,
    policies: {},
    rules: resolveRules(rules),
    ...rest,
  });
  const questions: [Buffer, Buffer][] = [];
  let step = generator.next();
  while (step.done !== true) {
    if (!('issuer' in step.value)) throw new TypeError('there is no acceptor to ask');
    const { certificate, issuer } = step.value;
    questions.push([certificate.der, issuer.der]);
    const answer = verifySignature(certificate, issuer);
    if (typeof answer !== 'boolean') throw new TypeError('this key is verified off the event loop');
    step = generator.next(answer);
  }
  if ('refusal' in step.value) return { ...step.value, questions };
  const { certificates, anchor, policies } = step.value.path;
  return { path: [...certificates, anchor].map((certificate) => certificate.der), policies, questions };
}
