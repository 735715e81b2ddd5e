import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificatePolicyOptions } from '@peercert/core';
import type { Setting } from './case';

/** `default` is what servers run; `strict` is `-x509_strict`, RFC 5280 to the letter. */
export type OpensslMode = 'default' | 'strict';

export interface OpensslError {
  /** `X509_V_ERR_...`; 0 where a file cannot be read as a certificate. */
  readonly code: number;
  readonly depth: number;
  readonly text: string;
}

export interface OpensslVerdict {
  readonly accepted: boolean;
  /** Some do not end the search: all that were met. */
  readonly errors: readonly OpensslError[];
}

export type OpensslQuestion = Pick<Setting, 'anchors' | 'intermediates' | 'time' | 'policies'> & {
  readonly endEntities: readonly Buffer[];
};

/**
 * Has OpenSSL judge end-entity certificates that share everything else: one process for each mode.
 *
 * @param folder - For its files; of nobody else as long as this runs.
 */
export async function askOpenssl(
  folder: string,
  question: OpensslQuestion,
): Promise<Readonly<Record<OpensslMode, readonly OpensslVerdict[]>>> {
  writeQuestion(folder, question);
  const [relaxed, strict] = await Promise.all([
    verify(folder, question, []),
    verify(folder, question, ['-x509_strict']),
  ]);
  return { default: relaxed, strict };
}

/** Writes the files that {@link opensslArguments} name. */
export function writeQuestion(place: string, { anchors, intermediates, endEntities }: OpensslQuestion): void {
  writeFileSync(join(place, 'anchors.pem'), anchors.map(pemOf).join(''));
  if (intermediates.length > 0) writeFileSync(join(place, 'intermediates.pem'), intermediates.map(pemOf).join(''));
  for (const [index, der] of endEntities.entries()) writeFileSync(join(place, fileOf(index)), pemOf(der));
}

/** Arguments that ask what peercert asks: any certificate can be an anchor, for clients, 112 bits of strength. */
export function opensslArguments(question: OpensslQuestion): readonly string[] {
  const { intermediates, time, policies, endEntities } = question;
  const untrusted = intermediates.length > 0 ? ['-untrusted', 'intermediates.pem'] : [];
  const anchors = ['-CAfile', 'anchors.pem', '-no-CApath', '-no-CAstore', '-partial_chain'];
  const purpose = ['-purpose', 'sslclient', '-auth_level', '2', '-policy_check'];
  const instant = ['-attime', String(Math.floor(time.getTime() / 1000))];
  const files = endEntities.map((_, index) => fileOf(index));
  return ['verify', ...anchors, ...untrusted, ...purpose, ...instant, ...policyArguments(policies), ...files];
}

const anyPolicy = '2.5.29.32.0';

/** Without a policy OpenSSL takes none for acceptable, where RFC 5280 section 6.1.1 (c) has any. */
function policyArguments(options: CertificatePolicyOptions): readonly string[] {
  return [
    ...(options.acceptable ?? [anyPolicy]).flatMap((policy) => ['-policy', policy]),
    ...(options.requireExplicitPolicy === true ? ['-explicit_policy'] : []),
    ...(options.inhibitPolicyMapping === true ? ['-inhibit_map'] : []),
    ...(options.inhibitAnyPolicy === true ? ['-inhibit_any'] : []),
  ];
}

async function verify(
  place: string,
  question: OpensslQuestion,
  options: readonly string[],
): Promise<readonly OpensslVerdict[]> {
  const [command = '', ...others] = opensslArguments(question);
  const { stdout, stderr, failure } = await run(place, [command, ...options, ...others]);
  const accepted = new Set(stdout.split('\n'));
  const errors = readErrors(stderr);
  return question.endEntities.map((_, index) => {
    const file = fileOf(index);
    if (accepted.has(`${file}: OK`)) return { accepted: true, errors: [] };
    const unread: OpensslError = {
      code: 0,
      depth: 0,
      text: failure ?? 'not read as a certificate',
    };
    return { accepted: false, errors: errors.get(file) ?? [unread] };
  });
}

/** Errors precede the line that names the file they belong to. */
function readErrors(stderr: string): ReadonlyMap<string, readonly OpensslError[]> {
  const byFile = new Map<string, readonly OpensslError[]>();
  let errors: OpensslError[] = [];
  for (const line of stderr.split('\n')) {
    const [, code, depth, text = ''] = /^error (\d+) at (\d+) depth lookup: (.*)$/.exec(line) ?? [];
    if (code !== undefined) errors.push({ code: Number(code), depth: Number(depth), text });
    const file = /^error (\S+): verification failed$/.exec(line)?.[1];
    if (file === undefined) continue;
    byFile.set(file, errors);
    errors = [];
  }
  return byFile;
}

interface Output {
  readonly stdout: string;
  readonly stderr: string;
  /** The process did not end by itself. */
  readonly failure: string | undefined;
}

async function run(cwd: string, parameters: readonly string[]): Promise<Output> {
  return new Promise((resolve) => {
    execFile('openssl', parameters, { cwd, maxBuffer: 2 ** 26, timeout: 60_000 }, (error, stdout, stderr) => {
      const signal = error?.signal ?? undefined;
      resolve({ stdout, stderr, failure: signal === undefined ? undefined : `openssl was ended by ${signal}` });
    });
  });
}

/** The version of the openssl on the PATH; undefined where there is none. */
export async function opensslVersion(): Promise<string | undefined> {
  const { stdout } = await run('.', ['version']);
  return stdout.trim() || undefined;
}

function fileOf(index: number): string {
  return `client-${index}.pem`;
}

export function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
