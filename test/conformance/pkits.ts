import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Revocation, TrustStore, validatePath } from '@peercert/core';
import { type CaseResult, judgeCase } from './case-result';

interface Manifest {
  readonly time: string;
  readonly cases: readonly PkitsCase[];
}

/** A case of NIST PKITS, as the manifest has it. */
interface PkitsCase {
  readonly id: string;
  readonly section: string;
  readonly trustAnchor: string;
  readonly chain: readonly string[];
  readonly crls: readonly string[];
  readonly expected: 'valid' | 'invalid';
  readonly settings: {
    readonly initialPolicySet: readonly string[];
    readonly initialExplicitPolicy: boolean;
    readonly initialPolicyMappingInhibit: boolean;
    readonly initialInhibitAnyPolicy: boolean;
  };
}

/** NIST PKITS by way of `validatePath`. */
export async function runPkits(folder: string): Promise<readonly CaseResult[]> {
  const { cases, time } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
  const classification = JSON.parse(readFileSync(join(folder, 'classification.json'), 'utf8')) as {
    cases: Record<string, { tier: string }>;
  };
  const certificate = (name: string): Uint8Array => readFileSync(join(folder, 'certs', name));
  const crl = (name: string): Uint8Array => readFileSync(join(folder, 'crls', name));
  const results: CaseResult[] = [];
  for (const { id, chain, crls, trustAnchor, expected, settings } of cases) {
    const [endEntity = '', ...intermediates] = chain;
    const about = {
      id,
      tier: classification.cases[id]?.tier ?? 'unclassified',
      expected: expected === 'valid' ? 'accept' : 'reject',
      notClaimed: undefined,
    } as const;
    results.push(
      await judgeCase(about, async () => {
        return validatePath({
          endEntity: certificate(endEntity),
          intermediates: intermediates.map(certificate),
          trust: TrustStore.fromDer([certificate(trustAnchor)]),
          time: new Date(time),
          extKeyUsage: 'not-checked',
          // The suite validates paths to CA certificates as well.
          rules: { caAsEndEntity: 'accept' },
          policies: {
            acceptable: settings.initialPolicySet,
            requireExplicitPolicy: settings.initialExplicitPolicy,
            inhibitPolicyMapping: settings.initialPolicyMappingInhibit,
            inhibitAnyPolicy: settings.initialInhibitAnyPolicy,
          },
          maxIntermediates: 20,
          revocation: Revocation.fromCrls(crls.map(crl)),
        });
      }),
    );
  }
  return results;
}
