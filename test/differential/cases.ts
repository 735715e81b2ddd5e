import { TEST_TIME } from '@peercert/testkit';
import type { Case, Group, Setting } from './case';
import { type Entity, type Hierarchy, inPlace, mint, mintAgain, type Minted } from './hierarchy';
import { mutateCertificate } from './mutate-entity';
import { mutateSetting } from './mutate-setting';
import type { Random } from './random';

interface Seed {
  readonly hierarchy: Hierarchy;
  readonly minted: Minted;
}

/** End-entity certificates in one setting: many where the setting is as minted, few where it is a case of its own. */
const manyCases = 60;
const fewCases = 6;

/** Makes groups of cases, for ever: the same choices for the same random numbers, with other keys. */
export function* makeGroups(random: Random, hierarchies: readonly Hierarchy[]): Generator<Group, never> {
  const seeds = hierarchies.map((hierarchy): Seed => ({ hierarchy, minted: mint(hierarchy.entities) }));
  const strangers = seeds.flatMap(({ hierarchy, minted }) => {
    return hierarchy.entities.filter(({ place }) => place !== 'end-entity').map(({ name }) => derOf(minted, name));
  });
  for (;;) {
    const seed = random.pick(seeds);
    const kind = random.below(100);
    if (kind < 12) yield changedClients(random, seed);
    else if (kind < 70) yield changedIssuer(random, seed, strangers);
    else yield changedSetting(random, seed, strangers);
  }
}

/** The chain as minted, and many end-entity certificates that were not meant to be. */
function changedClients(random: Random, seed: Seed): Group {
  return clientsIn(random, settingOf(random, seed), seed, manyCases, 1);
}

/** One authority says something else. What it issued is sometimes issued again. */
function changedIssuer(random: Random, seed: Seed, strangers: readonly Buffer[]): Group {
  const { hierarchy, minted } = seed;
  const issuer = random.pick(hierarchy.entities.filter(({ place }) => place !== 'end-entity'));
  const mutated = mutateCertificate(random, issuer, hierarchy, minted);
  const again = mintAgain(hierarchy, minted, mutated.entity, random.chance(0.5));
  const changed = { hierarchy: withEntity(hierarchy, mutated.entity), minted: again };
  const plain = settingOf(random, changed, new Map([[issuer.name, mutated.der]]));
  const logged = { ...plain, log: [...plain.log, ...mutated.log] };
  const setting = random.chance(0.1) ? mutateSetting(random, logged, hierarchy, strangers) : logged;
  return clientsIn(random, setting, changed, fewCases, 0.4, issuer.place === 'absent' ? [] : [mutated.der]);
}

/** Certificates as minted, not all of them, or more. */
function changedSetting(random: Random, seed: Seed, strangers: readonly Buffer[]): Group {
  let setting = settingOf(random, seed);
  do setting = mutateSetting(random, setting, seed.hierarchy, strangers);
  while (random.chance(0.4));
  return clientsIn(random, setting, seed, fewCases, 0.4);
}

function clientsIn(
  random: Random,
  setting: Setting,
  { hierarchy, minted }: Seed,
  count: number,
  probability: number,
  changed: readonly Buffer[] = [],
): Group {
  const [client] = inPlace(hierarchy, 'end-entity');
  if (client === undefined) throw new TypeError(`${hierarchy.name} has no end-entity certificate`);
  const cases = Array.from({ length: count }, (_, index): Case => {
    if (index === 0 || !random.chance(probability)) {
      return { setting, endEntity: derOf(minted, client.name), log: setting.log, changed: index === 0 ? changed : [] };
    }
    const { der, log } = mutateCertificate(random, client, hierarchy, minted);
    return { setting, endEntity: der, log: [...setting.log, ...log], changed: [der] };
  });
  return { setting, cases };
}

function settingOf(
  random: Random,
  { hierarchy, minted }: Seed,
  replaced: ReadonlyMap<string, Buffer> = new Map(),
): Setting {
  const all = (place: Entity['place']): Buffer[] => {
    return inPlace(hierarchy, place).map(({ name }) => replaced.get(name) ?? derOf(minted, name));
  };
  return {
    hierarchy: hierarchy.name,
    anchors: all('anchor'),
    intermediates: all('intermediate'),
    time: TEST_TIME,
    policies: random.pick(hierarchy.policies ?? [{}]),
    log: [],
  };
}

function withEntity(hierarchy: Hierarchy, changed: Entity): Hierarchy {
  return { ...hierarchy, entities: hierarchy.entities.map((one) => (one.name === changed.name ? changed : one)) };
}

function derOf(minted: Minted, name: string): Buffer {
  const certificate = minted.get(name);
  if (certificate === undefined) throw new TypeError(`no certificate ${name}`);
  return certificate.der;
}
