/** @import { Entry, Package, Tag } from './read-package.mjs' */

const sections = [
  ['function', 'Functions'],
  ['value', 'Constants'],
  ['class', 'Classes'],
  ['type', 'Types'],
];

/**
 * Writes the page of a package.
 *
 * @param {{ name: string, description: string }} manifest - Its package.json.
 * @param {Package} contents
 * @param {ReadonlyMap<string, string>} pages - By name of an export, the page it stands on, for links.
 * @returns {string} Markdown
 */
export function renderPackage(manifest, contents, pages) {
  const link = (text) => linked(text, pages);
  const blocks = [`# ${manifest.name}`, manifest.description];
  for (const name of contents.reexported) {
    blocks.push(`Exports everything of [${name}](${pageOf(name)}) as well${replacedNames(contents, pages)}.`);
  }
  for (const [kind, title] of sections) {
    const entries = contents.entries.filter((entry) => entry.kind === kind);
    if (entries.length > 0) blocks.push(`## ${title}`, ...entries.flatMap((entry) => renderEntry(entry, link)));
  }
  if (contents.augmentations.length > 0) blocks.push("## Added to others' types", ...contents.augmentations.map(code));
  return `${blocks.join('\n\n')}\n`;
}

/** @param {string} name - Of a package. */
export function pageOf(name) {
  return `${name.replace('@peercert/', '')}.md`;
}

/** Names that an adapter exports in place of core's. */
function replacedNames({ entries }, pages) {
  const replaced = entries.map(({ name }) => name).filter((name) => pages.get(name)?.startsWith('core.md'));
  return replaced.length === 0 ? '' : `, with its own ${replaced.map((name) => `\`${name}\``).join(', ')}`;
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
function linked(text, pages) {
  return text.replaceAll(/\{@link (\w+)([\w.]*)\}/g, (_, name, member) => {
    const page = pages.get(name);
    return page === undefined ? `\`${name}${member}\`` : `[\`${name}${member}\`](${page})`;
  });
}
