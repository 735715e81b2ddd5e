import { type FetchResult, readAnswer } from '../../../../packages/core/src/revocation/fetch-answer';
import { FetchError } from '../../../../packages/core/src/revocation/fetch-error';
import type { FetchResponse } from '../../../../packages/core/src/revocation/network-options';

const host = 'crl.example.com';
const data = Buffer.from('data');

interface Fields {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: FetchResponse['body'];
}

async function* chunks(...parts: readonly string[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

function read(fields: Fields, wanted: Partial<Parameters<typeof readAnswer>[1]> = {}): Promise<FetchResult> {
  const { status = 200, headers = {}, body = chunks('da', 'ta') } = fields;
  const response = { status, headers: { get: (name: string) => headers[name] ?? null }, body };
  return readAnswer(response, { maxOctets: 4, isConditional: false, ...wanted }, host);
}

const failure = async (reading: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await reading.catch((thrown: unknown) => thrown);
  return error instanceof FetchError ? { reason: error.reason, ...error.details } : error;
};

describe('an answer', () => {
  it('is read whole', async () => {
    await expect(read({})).resolves.toEqual({ body: data, notModified: false });
  });

  it('may have as many octets as were asked for, and not one more', async () => {
    await expect(read({}, { maxOctets: 4 })).resolves.toEqual({ body: data, notModified: false });
    await expect(failure(read({}, { maxOctets: 3 }))).resolves.toEqual({ reason: 'too-large', host });
    await expect(read({ body: null }, { maxOctets: 0 })).resolves.toEqual({
      body: Buffer.alloc(0),
      notModified: false,
    });
  });

  it('is not read at all when it says that it is too large', async () => {
    const body = chunks('data');
    const next = jest.spyOn(body, 'next');
    await expect(failure(read({ headers: { 'content-length': '5' }, body }))).resolves.toEqual({
      reason: 'too-large',
      host,
    });
    expect(next).not.toHaveBeenCalled();
  });

  it('is made of octets', async () => {
    const body = (async function* () {
      for (;;) yield 1 as never;
    })();
    await expect(failure(read({ body }))).resolves.toEqual({ reason: 'too-large', host });
  });

  it('is let go as soon as it is too large', async () => {
    const endless = async function* (): AsyncGenerator<Buffer> {
      for (;;) yield data;
    };
    const body = endless();
    const ended = jest.spyOn(body, 'return');
    await expect(failure(read({ body }))).resolves.toEqual({ reason: 'too-large', host });
    expect(ended).toHaveBeenCalledTimes(1);
  });

  it.each([
    [201, 'status'],
    [204, 'status'],
    [206, 'status'],
    [300, 'redirect'],
    [301, 'redirect'],
    [304, 'status'],
    [308, 'redirect'],
    [404, 'status'],
    [503, 'status'],
  ])('has the status 200, and not %d', async (status, reason) => {
    await expect(failure(read({ status }))).resolves.toEqual({ reason, host, status });
  });

  it('may have the status 304 when a version was named', async () => {
    const answer = read({ status: 304, headers: { etag: '"1"' } }, { isConditional: true });
    await expect(answer).resolves.toEqual({ body: Buffer.alloc(0), notModified: true, etag: '"1"' });
  });

  it.each(['gzip', 'GZIP', 'br', 'identity, gzip', 'x', ''])('is not coded: %p', async (coding) => {
    const answer = read({ headers: { 'content-encoding': coding } });
    await expect(failure(answer)).resolves.toEqual({ reason: 'content-type', host });
  });

  it('may say that it is not coded', async () => {
    await expect(read({ headers: { 'content-encoding': 'Identity' } })).resolves.toMatchObject({ body: data });
  });

  it.each<[string, Readonly<Record<string, string>>, readonly string[] | undefined, boolean]>([
    ['any when none is asked for', { 'content-type': 'text/html' }, undefined, true],
    ['none', {}, ['application/pkix-crl'], true],
    ['the one asked for', { 'content-type': 'Application/PKIX-CRL; charset=binary' }, ['application/pkix-crl'], true],
    ['one of those asked for', { 'content-type': 'a/b' }, ['application/pkix-crl', 'a/b'], true],
    ['another', { 'content-type': 'text/html' }, ['application/pkix-crl'], false],
    ['one that begins the same', { 'content-type': 'application/pkix-crls' }, ['application/pkix-crl'], false],
  ])('has a type: %s', async (_, headers, contentTypes, isGood) => {
    const answer = await failure(read({ headers }, { contentTypes }));
    expect(answer).toEqual(isGood ? { body: data, notModified: false } : { reason: 'content-type', host });
  });

  it.each([
    [{ etag: '"abc"' }, { etag: '"abc"' }],
    [{ etag: 'W/"abc"' }, { etag: 'W/"abc"' }],
    [{ etag: `"${'a'.repeat(256)}"` }, { etag: `"${'a'.repeat(256)}"` }],
    [{ etag: `"${'a'.repeat(257)}"` }, {}],
    [{ etag: 'abc' }, {}],
    [{ etag: '"a b"' }, {}],
    [{ etag: '"a"b"' }, {}],
    [{ etag: '"a\r\nx: y"' }, {}],
    [{ 'last-modified': 'Mon, 01 Jun 2026 12:00:00 GMT' }, { lastModified: 'Mon, 01 Jun 2026 12:00:00 GMT' }],
    [{ 'last-modified': 'yesterday\r\nx: y' }, {}],
  ])('has validators that can be sent back as they are: %p', async (headers, expected) => {
    await expect(read({ headers })).resolves.toEqual({ body: data, notModified: false, ...expected });
  });

  it.each<[Readonly<Record<string, string>>, number | undefined]>([
    [{ 'cache-control': 'max-age=3600' }, 3_600],
    [{ 'cache-control': 'public, Max-Age=60, must-revalidate' }, 60],
    [{ 'cache-control': 'max-age="60"' }, 60],
    [{ 'cache-control': 'max-age=60, max-age=30' }, 30],
    [{ 'cache-control': 'max-age=60, no-cache' }, 0],
    [{ 'cache-control': 'no-store' }, 0],
    [{ 'cache-control': 'no-cache="set-cookie"' }, 0],
    [{ 'cache-control': 'max-age=60', age: '45' }, 15],
    [{ 'cache-control': 'max-age=60', age: '61' }, 0],
    [{ 'cache-control': 'max-age=60', age: '-1' }, 60],
    [{ 'cache-control': 'max-age=-1' }, undefined],
    [{ 'cache-control': 'max-age=1e9' }, undefined],
    [{ 'cache-control': 'max-age=99999999999' }, undefined],
    [{ 'cache-control': 's-maxage=60' }, undefined],
    [{ 'cache-control': 'public' }, undefined],
    [{ age: '45' }, undefined],
  ])('says how long it may be used: %p', async (headers, maxAgeSeconds) => {
    expect((await read({ headers })).maxAgeSeconds).toBe(maxAgeSeconds);
  });
});
