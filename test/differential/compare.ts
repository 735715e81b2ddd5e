import { Certificate } from '../../packages/core/src/x509/certificate';
import { DerError } from '../../packages/core/src/x509/der';
import type { Case, Group } from './case';
import { compareDecoders, type Difference } from './decoders';
import { reasonForDifference, reasonForError } from './expected';
import { askOpenssl, type OpensslMode, type OpensslVerdict } from './openssl';
import { askPeercert, type OurVerdict } from './peercert';

export type Finding =
  | { readonly kind: 'peercert fails'; readonly error: unknown }
  | { readonly kind: 'OpenSSL refuses'; readonly mode: OpensslMode; readonly verdict: OpensslVerdict }
  | { readonly kind: 'decoders differ'; readonly difference: Difference; readonly certificate: Buffer };

/** A disagreement that expected.json explains. */
export interface Explained {
  readonly who: string;
  readonly what: string;
  readonly reason: string;
}

/** One case with everything that was said about it. */
export interface Judged {
  readonly case: Case;
  readonly ours: OurVerdict;
  readonly openssl: Readonly<Record<OpensslMode, OpensslVerdict>>;
  /** What nobody has explained. */
  readonly findings: readonly Finding[];
  /** Reasons of expected.json that explained something, with whom they explained. */
  readonly explained: readonly Explained[];
}

export type Judge = (one: Case) => Promise<OurVerdict>;

/**
 * Asks everybody about each case of a group.
 *
 * @param folder - For the files of OpenSSL.
 * @param judge - What stands in for peercert, where the comparison itself is tested.
 */
export async function compareGroup(
  group: Group,
  folder: string,
  judge: Judge = askPeercert,
): Promise<readonly Judged[]> {
  const endEntities = group.cases.map(({ endEntity }) => endEntity);
  const asked = askOpenssl(folder, { ...group.setting, endEntities });
  const ours: OurVerdict[] = [];
  for (const one of group.cases) ours.push(await judge(one));
  const openssl = await asked;
  const judged: Judged[] = [];
  for (const [index, one] of group.cases.entries()) {
    const answers = { default: verdictAt(openssl.default, index), strict: verdictAt(openssl.strict, index) };
    judged.push(await judgeCase(one, ours[index] as OurVerdict, answers, folder));
  }
  return judged;
}

function verdictAt(verdicts: readonly OpensslVerdict[], index: number): OpensslVerdict {
  const verdict = verdicts[index];
  if (verdict === undefined) throw new RangeError(`no verdict ${index}`);
  return verdict;
}

async function judgeCase(
  one: Case,
  ours: OurVerdict,
  openssl: Readonly<Record<OpensslMode, OpensslVerdict>>,
  folder: string,
): Promise<Judged> {
  const findings: Finding[] = [];
  const explained: Explained[] = [];
  for (const certificate of one.changed.map(decodeOrNot)) {
    for (const difference of certificate === undefined ? [] : compareDecoders(certificate)) {
      const reason = reasonForDifference(difference, { path: [certificate as Certificate], case: one });
      if (reason !== undefined) explained.push({ who: difference.decoder, what: difference.what, reason });
      else findings.push({ kind: 'decoders differ', difference, certificate: (certificate as Certificate).der });
    }
  }
  if (ours.kind === 'failed') findings.push({ kind: 'peercert fails', error: ours.error });
  if (ours.kind !== 'accepted') return { case: one, ours, openssl, findings, explained };

  const path = ours.path.map(decodeOrNot).filter((certificate) => certificate !== undefined);
  if (path.length < ours.path.length) findings.push({ kind: 'peercert fails', error: new TypeError('path of no DER') });
  let answers = openssl;
  let explanation = explain(path, one, answers);
  if (explanation.findings.length > 0) {
    // OpenSSL takes the first issuer that fits and does not come back: it is given our path alone before it is believed.
    answers = await askAboutPath(one, ours.path, folder);
    explanation = explain(path, one, answers);
  }
  findings.push(...explanation.findings);
  explained.push(...explanation.explained);
  return { case: one, ours, openssl: answers, findings, explained };
}

type Explanation = Pick<Judged, 'findings' | 'explained'>;

/** Every refusal of OpenSSL must be one of expected.json. */
function explain(
  path: readonly Certificate[],
  one: Case,
  openssl: Readonly<Record<OpensslMode, OpensslVerdict>>,
): Explanation {
  const findings: Finding[] = [];
  const explained: Explained[] = [];
  for (const mode of ['default', 'strict'] as const) {
    const verdict = openssl[mode];
    if (verdict.accepted) continue;
    const reasons = verdict.errors.map((error) => reasonForError(mode, error, { path, case: one }));
    if (reasons.length === 0 || reasons.includes(undefined)) findings.push({ kind: 'OpenSSL refuses', mode, verdict });
    for (const [index, error] of verdict.errors.entries()) {
      const reason = reasons[index];
      if (reason !== undefined) explained.push({ who: `OpenSSL ${mode}`, what: `${error.code} ${error.text}`, reason });
    }
  }
  return { findings, explained };
}

async function askAboutPath(
  { setting }: Case,
  path: readonly Buffer[],
  folder: string,
): Promise<Readonly<Record<OpensslMode, OpensslVerdict>>> {
  const question = {
    ...setting,
    endEntities: path.slice(0, 1),
    intermediates: path.slice(1, -1),
    anchors: path.slice(-1),
  };
  const answers = await askOpenssl(folder, question);
  return { default: verdictAt(answers.default, 0), strict: verdictAt(answers.strict, 0) };
}

function decodeOrNot(der: Buffer): Certificate | undefined {
  try {
    return Certificate.copyOf(der);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}
