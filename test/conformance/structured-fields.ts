import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseByteSequenceItem, parseByteSequenceList } from '../../packages/core/src/source/structured-field';
import type { CaseResult } from './case-result';

/** A record of httpwg/structured-field-tests; other members are not used here. */
interface SuiteCase {
  readonly name: string;
  readonly raw: readonly string[];
  readonly header_type: 'item' | 'list' | 'dictionary';
  readonly expected?: readonly [{ readonly value: string }, unknown];
  readonly must_fail?: boolean;
  readonly can_fail?: boolean;
}

/** Files whose Items are used as parameter values of a Byte Sequence. */
const bareItemFiles = ['boolean.json', 'date.json', 'display-string.json', 'number.json', 'string.json', 'token.json'];

/** Byte Sequences as an Item, as the only member of a List and behind another member; and other Items as parameters. */
export async function runStructuredFields(folder: string): Promise<readonly CaseResult[]> {
  const read = (file: string): SuiteCase[] => JSON.parse(readFileSync(join(folder, file), 'utf8')) as SuiteCase[];
  const binary = read('binary.json').flatMap(({ name, raw, expected, must_fail: mustFail }) => {
    const bytes = expected === undefined ? undefined : decodeBase32(expected[0].value);
    const value = raw.join(', ');
    return [
      judge(`item: ${name}`, mustFail, bytes, () => parseByteSequenceItem(value)),
      judge(`list: ${name}`, mustFail, bytes, () => parseByteSequenceList(raw, 10, tooMany)[0]),
      judge(`member: ${name}`, mustFail, bytes, () => parseByteSequenceList([':AAAA:', ...raw], 10, tooMany)[1]),
    ];
  });
  const parameters = bareItemFiles.flatMap(read).flatMap((suiteCase) => {
    const { name, raw, header_type: type, must_fail: mustFail, can_fail: canFail } = suiteCase;
    const [value = '', ...more] = raw;
    // White space around an Item is trimmed, but not around a parameter's value; and `a;b` would be two parameters.
    if (type !== 'item' || more.length > 0 || canFail === true || /^\s|\s$|;/.test(value) || value === '') return [];
    return [judge(`parameter: ${name}`, mustFail, Buffer.alloc(3), () => parseByteSequenceItem(`:AAAA:;a=${value}`))];
  });
  return [...binary, ...parameters];
}

function judge(
  id: string,
  mustFail: boolean | undefined,
  bytes: Buffer | undefined,
  parse: () => Buffer | undefined,
): CaseResult {
  const expected = mustFail === true ? 'reject' : 'accept';
  try {
    const parsed = parse();
    return {
      id,
      tier: 'core',
      duration: 0,
      expected,
      actual: 'accept',
      sameResult: bytes === undefined || parsed?.equals(bytes) === true,
    };
  } catch {
    return { id, tier: 'core', duration: 0, expected, actual: 'reject' };
  }
}

function tooMany(): Error {
  return new RangeError('too many members');
}

/** RFC 4648 section 6, the form in which the suite writes bytes. */
function decodeBase32(text: string): Buffer {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = Array.from(text.replace(/=+$/, ''))
    .map((digit) => alphabet.indexOf(digit).toString(2).padStart(5, '0'))
    .join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2)));
}
