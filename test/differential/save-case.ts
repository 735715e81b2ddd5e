import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Judged } from './compare';
import { opensslArguments, pemOf, writeQuestion } from './openssl';

/** Writes a case as files: the certificates in PEM, and what was changed and said in `case.json`. */
export function saveCase(folder: string, { case: one, ours, openssl, findings }: Judged): void {
  mkdirSync(folder, { recursive: true });
  const question = { ...one.setting, endEntities: [one.endEntity] };
  writeQuestion(folder, question);
  for (const [index, der] of one.changed.entries()) writeFileSync(join(folder, `changed-${index}.pem`), pemOf(der));
  const { hierarchy, time, policies } = one.setting;
  const verdict = ours.kind === 'accepted' ? { ...ours, path: ours.path.map(pemOf) } : ours;
  const report = {
    hierarchy,
    time,
    policies,
    changes: one.log,
    command: ['openssl', ...opensslArguments(question)].join(' '),
    peercert: verdict,
    openssl,
    findings,
  };
  writeFileSync(join(folder, 'case.json'), `${JSON.stringify(report, readable, 2)}\n`);
}

function readable(_: string, value: unknown): unknown {
  if (value instanceof Error) return value.stack;
  const isBuffer = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
  return isBuffer && 'data' in value ? Buffer.from(value.data as number[]).toString('base64') : value;
}
