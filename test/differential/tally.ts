import type { Judged } from './compare';

/** Counts by reason. */
type Counts = Record<string, number>;

/** What a run comes to. */
export interface Tally {
  cases: number;
  bothAccept: number;
  bothRefuse: number;
  /** OpenSSL accepts in default mode: our code, and the reason where a code has several. */
  readonly onlyOpensslAccepts: Counts;
  /** By who refuses or reads otherwise, error, and the reason of expected.json. */
  readonly onlyPeercertAccepts: Counts;
  readonly decodersDiffer: Counts;
}

export function newTally(): Tally {
  return {
    cases: 0,
    bothAccept: 0,
    bothRefuse: 0,
    onlyOpensslAccepts: {},
    onlyPeercertAccepts: {},
    decodersDiffer: {},
  };
}

/** Counts one case. */
export function count(tally: Tally, { ours, openssl, explained }: Judged): void {
  tally.cases++;
  if (ours.kind === 'accepted') {
    if (openssl.default.accepted && openssl.strict.accepted) tally.bothAccept++;
  } else if (ours.kind === 'refused' && openssl.default.accepted) {
    increment(tally.onlyOpensslAccepts, ours.reason === '' ? ours.code : `${ours.code}: ${ours.reason}`);
  } else tally.bothRefuse++;
  const lines = explained.map(({ who, what, reason }) => `${who}: ${what} -- ${reason}`);
  for (const line of new Set(lines)) {
    increment(line.startsWith('OpenSSL') ? tally.onlyPeercertAccepts : tally.decodersDiffer, line);
  }
}

function increment(counts: Counts, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

/** The table a run ends with. */
export function tableOf(tally: Tally): string {
  return [
    row(tally.cases, 'cases'),
    row(tally.bothAccept, 'accepted by both, strictly too'),
    row(tally.bothRefuse, 'refused by both'),
    ...section('refused by peercert, accepted by OpenSSL', tally.onlyOpensslAccepts),
    ...section('accepted by peercert, refused by OpenSSL, as expected', tally.onlyPeercertAccepts),
    ...section('read otherwise by another decoder, as expected', tally.decodersDiffer),
  ].join('\n');
}

function section(title: string, counts: Counts): string[] {
  const entries = Object.entries(counts).toSorted(([, one], [, other]) => other - one);
  return ['', title, ...entries.map(([what, number]) => row(number, what))];
}

function row(number: number, what: string): string {
  return `${String(number).padStart(8)}  ${what}`;
}
