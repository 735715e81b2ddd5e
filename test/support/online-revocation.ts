import type { FetchFunction, FetchResponse } from '@peercert/core';
import { TEST_TIME, type TestAuthority, type TestCertificate } from '@peercert/testkit';
import type { RevocationQuestion } from '../../packages/core/src/revocation/revocation-method';
import { Certificate } from '../../packages/core/src/x509/certificate';

/** A question about a certificate, as a `Revocation` asks it at `TEST_TIME`. */
export function questionAbout(
  certificate: TestCertificate,
  issuer: TestAuthority,
  more: Partial<RevocationQuestion> = {},
): RevocationQuestion {
  const authority = new Certificate(issuer.der);
  return {
    certificate: new Certificate(certificate.der),
    issuer: authority,
    authorities: [authority],
    depth: 0,
    time: TEST_TIME.getTime(),
    rules: { legacyAlgorithms: 'reject', profile: 'path-validation' },
    ...more,
  };
}

async function* bodyOf(octets: Buffer): AsyncGenerator<Buffer> {
  yield octets;
}

/** What a `fetch` answers. */
export function respond(octets: Buffer, { status = 200, etag = '' } = {}): FetchResponse {
  return { status, headers: { get: (name) => (name === 'etag' ? etag : undefined) }, body: bodyOf(octets) };
}

/** A `fetch` whose requests wait until they are answered by hand. */
export function heldFetch(): { fetch: jest.MockedFunction<FetchFunction>; answer: (octets: Buffer) => void } {
  const waiting: ((response: FetchResponse) => void)[] = [];
  const fetch = jest.fn<ReturnType<FetchFunction>, Parameters<FetchFunction>>(
    () => new Promise((resolve) => waiting.push(resolve)),
  );
  return { fetch, answer: (octets) => waiting.splice(0).forEach((resolve) => resolve(respond(octets))) };
}
