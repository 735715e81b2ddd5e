import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Revocation, TrustStore, type ValidatePathInput, validatePath, type ValidationRules } from '@peercert/core';
import { type CaseResult, judgeCase } from './case-result';

/** A case of C2SP/x509-limbo; other members are not used here. */
interface LimboCase {
  readonly id: string;
  readonly validation_kind: 'SERVER' | 'CLIENT';
  readonly trusted_certs: readonly string[];
  readonly untrusted_intermediates: readonly string[];
  readonly peer_certificate: string;
  readonly validation_time: string | null;
  readonly extended_key_usage: readonly string[];
  readonly expected_result: 'SUCCESS' | 'FAILURE';
  readonly max_chain_depth: number | null;
  readonly crls: readonly string[];
}

interface Classification {
  readonly cases: Readonly<Record<string, { readonly tier: string; readonly expected?: 'valid' | 'invalid' }>>;
}

/** Cases without a time mean this one. */
const defaultTime = '2026-07-01T00:00:00Z';

/** x509-limbo by way of `validatePath`. Peer names are not matched: peercert validates clients. */
export async function runLimbo(folder: string): Promise<readonly CaseResult[]> {
  const { testcases } = JSON.parse(readFileSync(join(folder, 'limbo-core.json'), 'utf8')) as { testcases: LimboCase[] };
  const { cases } = JSON.parse(readFileSync(join(folder, 'classification.json'), 'utf8')) as Classification;
  const results: CaseResult[] = [];
  for (const testcase of testcases) {
    const { tier = 'unclassified', expected } = cases[testcase.id] ?? {};
    const isValid = expected === undefined ? testcase.expected_result === 'SUCCESS' : expected === 'valid';
    const notClaimed = notClaimedFor(tier);
    const about = { id: testcase.id, tier, expected: isValid ? 'accept' : 'reject', notClaimed } as const;
    // The profile tier is about what RFC 5280 section 4 tells CAs, which is an option here.
    const rules: ValidationRules = tier === 'profile' ? { profile: 'rfc5280' } : {};
    results.push(await judgeCase(about, async () => validatePath({ ...inputOf(testcase), rules })));
  }
  return results;
}

/** The CA/Browser Forum's rules for web servers are not ours. */
function notClaimedFor(tier: string): string | undefined {
  return tier === 'webpki' ? 'rules for web servers' : undefined;
}

function inputOf(testcase: LimboCase): ValidatePathInput {
  const { extended_key_usage: purposes, validation_kind: kind, max_chain_depth: depth } = testcase;
  const byKind = kind === 'SERVER' ? 'serverAuth' : 'clientAuth';
  const named = purposes.includes('clientAuth') ? 'clientAuth' : 'serverAuth';
  return {
    endEntity: derOf(testcase.peer_certificate),
    intermediates: testcase.untrusted_intermediates.map(derOf),
    trust: TrustStore.fromPem(testcase.trusted_certs.join('\n')),
    time: new Date(testcase.validation_time ?? defaultTime),
    extKeyUsage: purposes.length === 0 ? byKind : named,
    ...(depth === null ? {} : { maxIntermediates: depth }),
    ...(testcase.crls.length > 0 && { revocation: Revocation.fromCrls(testcase.crls.map(derOf)) }),
  };
}

function derOf(pem: string): Uint8Array {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, '').replace(/\s+/g, ''), 'base64');
}
