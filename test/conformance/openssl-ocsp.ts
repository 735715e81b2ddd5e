import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkOcspResponse } from '../../packages/core/src/revocation/ocsp-answer';
import { type CaseResult, judgeCase } from './case-result';

interface Suite {
  /** Certificates and responses, DER in base64, by the names that cases have for them. */
  readonly pool: Readonly<Record<string, string>>;
  readonly cases: readonly OcspCase[];
}

/** A case made of OpenSSL's own OCSP tests; other members are not used here. */
interface OcspCase {
  readonly id: string;
  readonly tier: string;
  readonly cert: string;
  readonly response: string;
  /** The issuer first, then what may help. */
  readonly trusted: readonly string[];
  readonly other: readonly string[];
  readonly time: string;
  readonly status: 'good' | 'not-good';
}

/** The OCSP responses of OpenSSL's tests by way of `checkOcspResponse`. */
export async function runOpensslOcsp(folder: string): Promise<readonly CaseResult[]> {
  const { pool, cases } = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as Suite;
  const octets = (name = ''): Uint8Array => Buffer.from(pool[name] ?? '', 'base64');
  const results: CaseResult[] = [];
  for (const { id, tier, cert, response, trusted, other, time, status } of cases) {
    const expected = status === 'good' ? 'accept' : 'reject';
    const notClaimed = tier === 'skip' ? 'what only OpenSSL can be asked' : undefined;
    results.push(
      await judgeCase({ id, tier, expected, notClaimed }, async () => {
        const answer = await checkOcspResponse({
          certificate: octets(cert),
          issuer: octets(trusted[0]),
          response: octets(response),
          certificates: other.map(octets),
          time: new Date(time),
          // The suite is of 2012, and OpenSSL does not check whether a delegate is revoked.
          legacyAlgorithms: 'accept',
          delegateWithoutNocheck: 'accept',
        });
        if (answer.status !== 'good') throw new Error(answer.status === 'unknown' ? answer.cause : answer.status);
      }),
    );
  }
  return results;
}
