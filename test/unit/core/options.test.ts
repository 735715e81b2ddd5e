import { checkInteger, checkOptions, describe as describeValue } from '../../../packages/core/src/options';

describe('checking options', () => {
  const check = (options: unknown) => () => checkOptions('makeThing', options, ['maxAge', 'trust']);

  it.each([
    ['no option', {}],
    ['known options', { maxAge: 1, trust: undefined }],
    ['an object without a prototype', Object.assign(Object.create(null), { trust: 1 })],
    [
      'an instance of a class',
      new (class {
        readonly maxAge = 1;
      })(),
    ],
    ['a property nobody enumerates', Object.defineProperty({}, 'secret', { value: 1 })],
    ['a symbol', { [Symbol('private')]: 1 }],
  ])('accepts %s', (_, options) => {
    expect(check(options)).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a string', 'trust', 'a string'],
    ['a number', 1, '1'],
    ['a function', () => {}, 'a function'],
    ['an array', ['trust'], 'an array'],
    ['an empty array', [], 'an empty array'],
  ])('rejects %s', (_, options, received) => {
    expect(check(options)).toThrow(new TypeError(`makeThing takes an options object; it received ${received}.`));
  });

  it.each([
    ['maxage', 'Did you mean `maxAge`?'],
    ['MAXAGE', 'Did you mean `maxAge`?'],
    ['Trust', 'Did you mean `trust`?'],
    ['max_age', 'It knows maxAge, trust.'],
    ['truts', 'It knows maxAge, trust.'],
    ['constructor', 'It knows maxAge, trust.'],
    ['toString', 'It knows maxAge, trust.'],
  ])('rejects the unknown option %s and says what was meant', (property, hint) => {
    const message = `makeThing received an unknown option, \`${property}\`. ${hint}`;
    expect(check({ trust: 1, [property]: undefined })).toThrow(new TypeError(message));
  });

  it('rejects __proto__ as JSON has it, and changes no prototype', () => {
    const options: unknown = JSON.parse('{"__proto__": {"trust": 1}}');
    expect(check(options)).toThrow(
      new TypeError('makeThing received an unknown option, `__proto__`. It knows maxAge, trust.'),
    );
    expect(({} as { trust?: unknown }).trust).toBeUndefined();
  });

  it('ID-03: rejects any options while Object.prototype has a known one, and no others', () => {
    const prototype = Object.prototype as { trust?: unknown };
    prototype.trust = 'everybody';
    try {
      const message = 'makeThing would inherit `trust` from Object.prototype: something has polluted it.';
      for (const options of [{}, { maxAge: 1 }, { trust: 1 }]) expect(check(options)).toThrow(new TypeError(message));
      expect(() => checkOptions('makeThing', {}, ['maxAge'])).not.toThrow();
    } finally {
      delete prototype.trust;
    }
  });

  it('says so where there are no options to know', () => {
    expect(() => checkOptions('makeThing', { a: 1 }, [])).toThrow(
      new TypeError('makeThing received an unknown option, `a`. It takes none.'),
    );
  });
});

describe('checking an integer', () => {
  it.each([0, -0, 1, 19, 20])('accepts %d from 0 to 20', (value) => {
    expect(() => checkInteger('depth', value, 0, 20)).not.toThrow();
  });

  it.each<[unknown, string]>([
    [-1, '-1'],
    [21, '21'],
    [1.5, '1.5'],
    [Number.NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [-Infinity, '-Infinity'],
    ['8', 'a string'],
    [8n, 'a bigint'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    [[8], 'an array'],
    [{ valueOf: () => 8 }, 'an object'],
  ])('rejects %p from 0 to 20', (value, received) => {
    expect(() => checkInteger('depth', value, 0, 20)).toThrow(
      new RangeError(`depth must be an integer from 0 to 20; it received ${received}.`),
    );
  });
});

it('describes a value without quoting what may be a secret', () => {
  const values = [
    'hunter2',
    ['hunter2'],
    { password: 'hunter2' },
    Symbol('hunter2'),
    () => 'hunter2',
    Buffer.from('hunter2'),
  ];
  expect(values.map(describeValue)).toEqual([
    'a string',
    'an array',
    'an object',
    'a symbol',
    'a function',
    'an object',
  ]);
});
