/** @import { Entry, Package, Tag } from './read-package.mjs' */

const sections = [
  ['function', 'Functions'],
  ['value', 'Constants'],
  ['class', 'Classes'],
  ['type', 'Types'],
];

/**
 * A package and its page.
 *
 * @typedef {object} Documented
 * @property {{ name: string, description: string }} manifest - Its package.json.
 * @property {Package} contents
 * @property {string} page - The file beside the others.
 */

/**
 * Writes the page of a package.
 *
 * @param {Documented} documented
 * @param {readonly Documented[]} reexported - Packages it exports all of.
 * @param {ReadonlyMap<string, string>} links - Where each name that may be linked to stands.
 * @returns {string} Markdown
 */
export function renderPackage({ manifest, contents }, reexported, links) {
  const { entries, augmentations } = contents;
  const link = (text) => linked(text, links);
  const blocks = [`# ${manifest.name}`, manifest.description];
  for (const other of reexported) {
    const theirs = new Set(other.contents.entries.map(({ name }) => name));
    const own = entries.filter(({ name }) => theirs.has(name)).map(({ name }) => `\`${name}\``);
    const exceptions = own.length === 0 ? '' : `, except that ${own.join(', ')} is its own`;
    blocks.push(`Exports everything of [${other.manifest.name}](${other.page}) as well${exceptions}.`);
  }
  for (const [kind, title] of sections) {
    const inSection = entries.filter((entry) => entry.kind === kind);
    if (inSection.length > 0) blocks.push(`## ${title}`, ...inSection.flatMap((entry) => renderEntry(entry, link)));
  }
  if (augmentations.length > 0) blocks.push("## Added to others' types", ...augmentations.map(code));
  return `${blocks.join('\n\n')}\n`;
}

/** @param {Entry} entry */
function renderEntry({ name, text, description, tags }, link) {
  const notes = tags.map((tag) => link(renderTag(tag)));
  return [`### ${name}`, link(description), code(text), ...(notes.length === 0 ? [] : [notes.join('\n')])];
}

/** @param {Tag} tag */
function renderTag({ kind, subject, text }) {
  const line = text.replaceAll(/\s+/g, ' ');
  if (kind === 'param') return `- \`${subject}\`: ${line}`;
  if (kind === 'returns') return `- Returns: ${line}`;
  return `- Throws ${subject === '' ? '' : `\`${subject}\` `}${line}`;
}

function code(text) {
  return `\`\`\`ts\n${text}\n\`\`\``;
}

/** `{@link name}` as a link where the name has a place, as code where it has none. */
function linked(text, links) {
  return text.replaceAll(/\{@link (\w+)([\w.]*)\}/g, (_, name, member) => {
    const place = links.get(name);
    return place === undefined ? `\`${name}${member}\`` : `[\`${name}${member}\`](${place})`;
  });
}
