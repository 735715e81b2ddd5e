import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClientCertificateError, type ErrorCode } from '@peercert/core';
import { errorsBySpecificity, isRefusal, mostSpecific } from '../../../packages/core/src/errors';

const source = readFileSync(join(__dirname, '../../../packages/core/src/errors.ts'), 'utf8');
const table = source.slice(source.indexOf('interface ErrorDetails'), source.indexOf('\n}'));

/** Every code of the table of details, in its order. */
const codes = [...table.matchAll(/^ {2}(ERR_[A-Z_]+): /gm)].map(([, code]) => code as ErrorCode);

const refusal = (code: ErrorCode, details: object = {}): ClientCertificateError =>
  new ClientCertificateError<ErrorCode>(code, details);

describe('every code of a refusal', () => {
  it('is found in the table of details', () => {
    expect(codes.length).toBeGreaterThan(30);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('has a place in the order of specificity, once', () => {
    expect(errorsBySpecificity.toSorted()).toEqual(codes.toSorted());
  });

  it('has a message of its own', () => {
    expect(new Set(codes.map((code) => refusal(code).message)).size).toBe(codes.length);
  });

  it.each(codes)('%s has a constant message: one sentence, which quotes no detail', (code) => {
    const { message } = refusal(code);
    expect(message).toMatch(/^[A-Z][^.]+\.$/);
    const details = { depth: 7, reason: 'secret', header: 'secret', issuer: 'CN=secret', position: 7, count: 7 };
    expect(refusal(code, details).message).toBe(message);
  });
});

describe('a refusal', () => {
  const cause = new TypeError('behind it');
  const error = new ClientCertificateError('ERR_CERTIFICATE_IS_CA', { depth: 0 }, { cause });

  it('is an Error with code, details, cause and name', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error.code).toBe('ERR_CERTIFICATE_IS_CA');
    expect(error.details).toEqual({ depth: 0 });
    expect(error.cause).toBe(cause);
    expect(error.name).toBe('ClientCertificateError');
  });

  it('has no cause where none was given', () => {
    expect('cause' in refusal('ERR_INTERNAL')).toBe(false);
  });

  it('carries no stack trace', () => {
    expect(String(error.stack)).not.toContain('\n');
  });

  it('leaves the stack traces of other errors as they were', () => {
    const { stackTraceLimit } = Error;
    refusal('ERR_INTERNAL');
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
    expect(new Error('another').stack).toContain('\n');
  });
});

describe('isRefusal', () => {
  it.each<[string, unknown, boolean]>([
    ['accepts a refusal with the code', refusal('ERR_CERTIFICATE_IS_CA'), true],
    ['rejects a refusal with another code', refusal('ERR_INTERNAL'), false],
    ['rejects another error with the code', Object.assign(new Error('x'), { code: 'ERR_CERTIFICATE_IS_CA' }), false],
    ['rejects an object with the code', { code: 'ERR_CERTIFICATE_IS_CA', details: {} }, false],
    ['rejects undefined', undefined, false],
    ['rejects null', null, false],
  ])('%s', (_, error, expected) => {
    expect(isRefusal(error, 'ERR_CERTIFICATE_IS_CA')).toBe(expected);
  });
});

describe('mostSpecific', () => {
  const least = refusal('ERR_PATH_ISSUER_UNKNOWN');
  const most = refusal('ERR_CERTIFICATE_EXPIRED');

  it('gives the only one', () => {
    expect(mostSpecific(undefined, least)).toBe(least);
  });

  it('gives the more specific of two, in either order', () => {
    expect(mostSpecific(least, most)).toBe(most);
    expect(mostSpecific(most, least)).toBe(most);
  });

  it('gives the first of two with one code', () => {
    expect(mostSpecific(least, refusal('ERR_PATH_ISSUER_UNKNOWN'))).toBe(least);
  });

  it('orders every pair of codes as the list does', () => {
    for (const [rank, code] of errorsBySpecificity.entries()) {
      for (const lesser of errorsBySpecificity.slice(0, rank)) {
        expect(mostSpecific(refusal(lesser), refusal(code)).code).toBe(code);
        expect(mostSpecific(refusal(code), refusal(lesser)).code).toBe(code);
      }
    }
  });
});

describe('a refusal for revocation', () => {
  it.each<[ErrorCode, 403 | 503]>([
    ['ERR_CERTIFICATE_REVOKED', 403],
    ['ERR_CERTIFICATE_DENIED', 403],
    ['ERR_REVOCATION_UNAVAILABLE', 503],
  ])('%s has the status %i', (code, status) => {
    expect([refusal(code).status, refusal(code).statusCode]).toEqual([status, status]);
  });

  it('tells more than what is wrong with another path, and less than a budget that is used up', () => {
    const order: readonly ErrorCode[] = [
      'ERR_CERTIFICATE_EXPIRED',
      'ERR_REVOCATION_UNAVAILABLE',
      'ERR_CERTIFICATE_REVOKED',
      'ERR_CERTIFICATE_DENIED',
      'ERR_PATH_BUDGET_EXCEEDED',
    ];
    expect(errorsBySpecificity.filter((code) => order.includes(code))).toEqual(order);
  });
});
