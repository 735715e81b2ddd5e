import { createAuthority } from '@peercert/testkit';
import type { Setting } from './case';
import type { Entity, Hierarchy } from './hierarchy';
import type { Random } from './random';

type SettingMutation = (
  random: Random,
  setting: Setting,
  hierarchy: Hierarchy,
  strangers: readonly Buffer[],
) => Setting;

/** Changes which certificates are there, and in which order; or the question. */
export function mutateSetting(
  random: Random,
  setting: Setting,
  hierarchy: Hierarchy,
  strangers: readonly Buffer[],
): Setting {
  const [name, mutation] = random.pick(Object.entries(mutations));
  const changed = mutation(random, setting, hierarchy, strangers);
  return { ...changed, log: [...setting.log, `setting ${name}`] };
}

const mutations: Readonly<Record<string, SettingMutation>> = {
  shuffled: (random, setting) => ({
    ...setting,
    intermediates: random.shuffled(setting.intermediates),
    anchors: random.shuffled(setting.anchors),
  }),
  'intermediates dropped': (random, setting) => ({
    ...setting,
    intermediates: random.some(setting.intermediates),
  }),
  'intermediates repeated': (random, setting) => ({
    ...setting,
    intermediates: random.shuffled([...setting.intermediates, ...random.some(setting.intermediates)]),
  }),
  'strangers among intermediates': (random, setting, _, strangers) => ({
    ...setting,
    intermediates: random.shuffled([...setting.intermediates, random.pick(strangers), random.pick(strangers)]),
  }),
  'look-alikes among intermediates': (random, setting, hierarchy) => ({
    ...setting,
    intermediates: random.shuffled([
      ...setting.intermediates,
      lookAlike(random, hierarchy),
      lookAlike(random, hierarchy),
    ]),
  }),
  'look-alikes among anchors': (random, setting, hierarchy) => ({
    ...setting,
    anchors: random.shuffled([...setting.anchors, lookAlike(random, hierarchy)]),
  }),
  'strangers among anchors': (random, setting, _, strangers) => ({
    ...setting,
    anchors: random.shuffled([...setting.anchors, random.pick(strangers), random.pick(strangers)]),
  }),
  'a stranger for an anchor': (random, setting, _, strangers) => ({ ...setting, anchors: [random.pick(strangers)] }),
  'anchors among intermediates': (random, setting) => ({
    ...setting,
    intermediates: random.shuffled([...setting.intermediates, ...setting.anchors]),
  }),
  'an intermediate for an anchor': (random, setting) => ({
    ...setting,
    anchors: setting.intermediates.length === 0 ? setting.anchors : [random.pick(setting.intermediates)],
  }),
  'another time': (random, setting) => ({
    ...setting,
    time: new Date(setting.time.getTime() + 1000 * random.pick([-86_401, -86_400, -1, 0, 1, 2, 86_400, 31_536_000])),
  }),
};

/** A certificate with the name, and sometimes the key identifier, of an authority. */
function lookAlike(random: Random, { entities }: Hierarchy): Buffer {
  const { fields }: Entity = random.pick(entities.filter(({ place }) => place !== 'end-entity'));
  const { subject = 'CN=x', basicConstraints = { ca: true } } = fields;
  return createAuthority({ subject, basicConstraints, ...(random.chance(0.3) ? { key: fields.key } : {}) }).der;
}
