import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  loadTrustStore,
  type ReloadingTrustStore,
  type TrustProvider,
  TrustStore,
  watchTrustStore,
} from '@peercert/core';
import { TEST_TIME, type TestAuthority } from '@peercert/testkit';
import type { Issuer } from './cases.mjs';

/** A store that is replaced while the origin serves. */
export interface SwappingStore {
  readonly provider: TrustProvider;
  /** Whose clients the store in use lets in. */
  readonly issuers: () => ReadonlySet<Issuer>;
  /** Has another store take the place of the one in use, now or soon; does nothing while that is to come. */
  readonly swap: () => void;
  /** Calls a function after each swap, when the other store is in use. */
  readonly onSwapped: (listener: () => void) => void;
  readonly close: () => Promise<void>;
}

/** An authority for each issuer, and one that nobody is issued by. */
export type Roots = Readonly<Record<Issuer | 'unused', TestAuthority>>;

const clock = (): number => TEST_TIME.getTime();

/** What stores that are reloaded hold beside `A` and the one that is unused. Two anchors are added, then both removed. */
const steps: readonly (readonly Issuer[])[] = [[], ['B'], ['B', 'C']];

/** A store that takes one step after another. */
class Steps {
  readonly #roots: Roots;
  /** Said by its digest which store it is, so that nothing depends on what the store says of itself. */
  readonly #issuers: ReadonlyMap<string, ReadonlySet<Issuer>>;
  #step = 0;

  constructor(roots: Roots) {
    this.#roots = roots;
    this.#issuers = new Map(
      steps.map((others) => {
        const anchors = [roots.A, roots.unused, ...others.map((issuer) => roots[issuer])];
        return [TrustStore.fromDer(anchors.map(({ der }) => der)).sha256, new Set<Issuer>(['A', ...others])];
      }),
    );
  }

  /** All but `A`. */
  get pem(): string {
    const others = (steps[this.#step] as readonly Issuer[]).map((issuer) => this.#roots[issuer]);
    return [this.#roots.unused, ...others].map(({ pem }) => pem).join('');
  }

  issuersIn(store: TrustStore): ReadonlySet<Issuer> {
    return this.#issuers.get(store.sha256) ?? new Set();
  }

  /** Whether there is a next step: not before this one is in use. A store that loses anchors is not taken at once. */
  next({ current }: ReloadingTrustStore): boolean {
    if (this.issuersIn(current).size !== (steps[this.#step] as readonly Issuer[]).length + 1) return false;
    this.#step = (this.#step + 1) % steps.length;
    return true;
  }
}

/** Of a folder in which one of two files is replaced by renaming another over it. */
export function watchedStore(roots: Roots): SwappingStore {
  const following = new Steps(roots);
  const folder = mkdtempSync(join(tmpdir(), 'peercert-soak-'));
  const anchors = join(folder, 'anchors');
  const write = (name: string, pem: string): void => {
    writeFileSync(join(folder, name), pem);
    renameSync(join(folder, name), join(anchors, name));
  };
  mkdirSync(anchors);
  write('a.pem', roots.A.pem);
  write('others.pem', following.pem);
  const provider = watchTrustStore({ anchors, clock, name: 'watched' });
  return {
    provider,
    issuers: () => following.issuersIn(provider.current),
    swap() {
      if (following.next(provider)) write('others.pem', following.pem);
    },
    onSwapped: (listener) => void provider.subscribe(listener),
    async close() {
      await provider.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Of a function that is asked again. */
export async function loadedStore(roots: Roots): Promise<SwappingStore> {
  const following = new Steps(roots);
  const provider = await loadTrustStore({ load: async () => roots.A.pem + following.pem, clock, name: 'loaded' });
  return {
    provider,
    issuers: () => following.issuersIn(provider.current),
    swap() {
      if (following.next(provider)) void provider.reload();
    },
    onSwapped: (listener) => void provider.subscribe(listener),
    close: async () => provider.close(),
  };
}

/** Of a provider of the application's own: one anchor always, two others in turn, in another store each time. */
export function ownStore(always: TestAuthority, turns: readonly [TestAuthority, TestAuthority]): SwappingStore {
  let turn: 0 | 1 = 0;
  const make = (): TrustStore => TrustStore.fromDer([always.der, turns[turn].der]);
  const provider = { current: make(), close: async () => {} };
  const listeners: (() => void)[] = [];
  const issuers = [new Set<Issuer>(['A', 'B']), new Set<Issuer>(['A', 'C'])] as const;
  return {
    provider,
    issuers: () => issuers[turn],
    swap() {
      turn = turn === 0 ? 1 : 0;
      provider.current = make();
      for (const listener of listeners) listener();
    },
    onSwapped: (listener) => void listeners.push(listener),
    close: async () => {},
  };
}
