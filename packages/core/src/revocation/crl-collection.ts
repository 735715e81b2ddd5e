import { runInSlices } from '../slices';
import type { Certificate } from '../x509/certificate';
import type { KnownCrl } from './known-crl';

/** CRLs that come from one place, one after the other: a file, or a URL. */
export class CrlCollection {
  #crls: readonly KnownCrl[];

  constructor(crls: readonly KnownCrl[]) {
    this.#crls = newestFirst(crls);
  }

  /** Those in use, the newest first. */
  get crls(): readonly KnownCrl[] {
    return this.#crls;
  }

  /**
   * Takes new CRLs in place of those in use, each for its own scope.
   *
   * One that is older than what is in use is not taken: whoever can bring it back could undo a revocation. One that is not
   * signed by whoever signed those before stands beside them, until it is known who signed it: a CA may have a new key, and
   * a damaged CRL must not end what is known, nor keep out what comes after it. What is no longer there counts for as long
   * as it is current.
   *
   * @param time - In milliseconds since the Unix epoch: a CRL is current whose nextUpdate is not before it.
   * @returns what is wrong with what was found; undefined when all of it is in use, and nothing else.
   */
  async replace(found: readonly KnownCrl[], time: number): Promise<string | undefined> {
    await Promise.all(this.#crls.map(async (known) => known.settle()));
    const signers = this.#crls.flatMap(({ signer }) => signer ?? []);
    const taken = new Set<KnownCrl>();
    const replaced = new Set<KnownCrl>();
    let problem: string | undefined;
    for (const one of found) {
      const before = this.#crls.filter(({ scope }) => scope === one.scope);
      // A turn of the event loop for each, where there is something to compare it with.
      const same = this.#crls.length === 0 ? undefined : await runInSlices(findSame(before, one));
      const asked = same ?? one;
      await askSigners(asked, signers);
      if (same === undefined && before.some((other) => keepsOut(other, one, time))) {
        problem ??= 'a CRL older than the one in use';
        continue;
      }
      taken.add(asked);
      if (same === undefined) for (const other of before) if (givesWay(other, one)) replaced.add(other);
      if (asked.isDoubtful && before.some(({ signer }) => signer !== undefined)) {
        problem ??= 'a CRL that is not signed by who signed the one before';
      }
    }
    const scopes = new Set(found.map(({ scope }) => scope));
    const staying = this.#crls.filter((one) => {
      return (
        !taken.has(one) && !replaced.has(one) && !one.isDoubtful && (scopes.has(one.scope) || isCurrent(one, time))
      );
    });
    if (staying.some((one) => [...taken].some((other) => one.supersedes(other)))) {
      problem ??= 'a CRL older than the one in use';
    }
    if (staying.some(({ scope }) => !scopes.has(scope))) problem ??= 'no longer every CRL that was there';
    this.#crls = newestFirst([...taken, ...staying]);
    return problem;
  }
}

/** Comparing large CRLs takes milliseconds, and there may be many. */
function* findSame(crls: readonly KnownCrl[], one: KnownCrl): Generator<void, KnownCrl | undefined> {
  for (const other of crls) {
    if (other.isSameAs(one)) return other;
    yield;
  }
  return undefined;
}

/** Finds out whether one of those who signed before, under the same name, signed this one too. */
async function askSigners(one: KnownCrl, signers: readonly Certificate[]): Promise<void> {
  for (const signer of signers) {
    if (one.signer !== undefined) return;
    if (signer.subjectKey === one.crl.issuerKey) await one.isSignedBy(signer);
  }
}

/**
 * Whether one in use is newer, and to be believed in that. Where nobody asked who signed either, their word must do.
 *
 * NOTE: once the time of the one in use is over, its number counts no more, only when it was issued: a CA may have begun to
 * count anew, and its new CRLs must not be kept out for ever.
 */
function keepsOut(other: KnownCrl, one: KnownCrl, time: number): boolean {
  const isBelieved =
    other.signer === undefined ? one.signer === undefined && !other.isDoubtful : one.hasSignerOf(other);
  if (!isBelieved) return false;
  return isCurrent(other, time) ? other.isNewerThan(one) : other.crl.thisUpdate > one.crl.thisUpdate;
}

/** Where nobody asked about the one in use, it is not known who signed it, and nothing is lost with it. */
function givesWay(other: KnownCrl, one: KnownCrl): boolean {
  return other.signer === undefined || one.hasSignerOf(other);
}

function isCurrent({ crl: { nextUpdate } }: KnownCrl, time: number): boolean {
  return nextUpdate === undefined || nextUpdate >= time;
}

function newestFirst(crls: Iterable<KnownCrl>): readonly KnownCrl[] {
  return [...crls].toSorted((one, other) => other.crl.thisUpdate - one.crl.thisUpdate);
}
