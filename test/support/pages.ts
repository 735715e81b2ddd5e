import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(__dirname, '../..');

/** A fenced block of a page that says what language it is in. */
export interface CodeBlock {
  /** The nearest heading above it. */
  readonly heading: string;
  readonly language: string;
  readonly code: string;
}

/** The fenced blocks of a page, in order. */
export function codeBlocks(page: string): readonly CodeBlock[] {
  const text = readFileSync(resolve(root, page), 'utf8');
  const blocks: CodeBlock[] = [];
  let heading = '';
  for (const [, title, language = '', code = ''] of text.matchAll(/^#+ (.+)$|^```(\w*)\n([^]*?)^```$/gm)) {
    if (title !== undefined) heading = title;
    else if (language !== '') blocks.push({ heading, language, code });
  }
  return blocks;
}

/** What a reader copies: every block of a language under a heading. */
export function codeUnder(page: string, heading: string, language: string): readonly string[] {
  const found = codeBlocks(page).filter((block) => block.heading === heading && block.language === language);
  if (found.length === 0) throw new Error(`${page} has no ${language} under ${heading}`);
  return found.map(({ code }) => code);
}

/** A command and what it prints, as a page shows it. */
export interface ShownCommand {
  readonly command: string;
  readonly output: string;
}

/** The commands of a `console` block. */
export function shownCommands(page: string, heading: string): readonly ShownCommand[] {
  const [block = ''] = codeUnder(page, heading, 'console');
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((entry) => ({
      command: entry.slice(0, entry.indexOf('\n')),
      output: entry.slice(entry.indexOf('\n') + 1).trimEnd(),
    }));
}
