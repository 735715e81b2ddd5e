import {
  admitRequest,
  type AuthenticatorOptions,
  type CertificateRequest,
  ClientCertificateError,
  clientIdentityOf,
  createGuard,
  type OutcomeEvent,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority } from '@peercert/testkit';
import { behindEdge, fromEdge, requestOf, secretLine } from '../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../support/refusals';

const root = createAuthority();
const client = root.issue({ uris: ['urn:client'] });
const stranger = createAuthority().issue();
const reporting = (options: Partial<AuthenticatorOptions> = {}) =>
  behindEdge([root], { enforcement: 'report-only', ...options });
const linesOf = ({ der }: { readonly der: Buffer }): readonly string[] => cloudFrontHeaders({ der }).flat();

const requests: readonly (readonly [string, () => CertificateRequest, string])[] = [
  ['a good certificate', () => fromEdge(...linesOf(client)), 'success'],
  ['a stranger', () => fromEdge(...linesOf(stranger)), 'ERR_PATH_ISSUER_UNKNOWN'],
  ['no certificate', () => fromEdge(), 'ERR_CERTIFICATE_REQUIRED'],
  ['a malformed header', () => fromEdge('Client-Cert', 'rubbish'), 'ERR_HEADER_MALFORMED'],
  ['an untrusted peer', () => requestOf(linesOf(client)), 'ERR_CHANNEL_UNTRUSTED'],
  ['no socket', () => ({ rawHeaders: [], socket: undefined as never }), 'ERR_CHANNEL_UNTRUSTED'],
];

describe('report-only', () => {
  it.each(requests)('lets %s pass as nobody, and leaves its headers', async (_, make) => {
    const request = make();
    const before = [...request.rawHeaders];
    await expect(admitRequest(reporting(), request)).resolves.toEqual({ admitted: true, identity: undefined });
    expect(request.rawHeaders).toEqual(before);
  });

  it.each(requests)('lets no guard be passed by %s', async (_, make) => {
    const request = make();
    await admitRequest(reporting(), request);
    expect(() => clientIdentityOf(request)).toThrowWithCode('ERR_CERTIFICATE_REQUIRED', {});
    for (const rule of [undefined, { uri: 'urn:client' }, () => true]) {
      const { admitted, error } = await createGuard(rule)(request, request);
      expect([admitted, error?.code]).toEqual([false, 'ERR_CERTIFICATE_REQUIRED']);
    }
  });

  it.each(requests)('tells what would have become of %s', async (_, make, expected) => {
    const events: OutcomeEvent[] = [];
    await admitRequest(reporting({ onOutcome: (event) => events.push(event) }), make());
    const [event] = events;
    expect(events).toHaveLength(1);
    expect(event?.['error.type'] ?? event?.['event.outcome']).toBe(expected);
    expect(event?.['clientcert.enforcement']).toBe('report-only');
  });

  it('lets a request pass whose judging fails, whatever way it fails', async () => {
    const broken = reporting({
      clock: () => {
        throw new Error('broken');
      },
    });
    await expect(admitRequest(broken, fromEdge())).resolves.toEqual({ admitted: true, identity: undefined });
    const authenticate = () => {
      throw new ClientCertificateError('ERR_INTERNAL', {});
    };
    await expect(admitRequest({ enforcement: 'report-only', authenticate }, fromEdge())).resolves.toEqual({
      admitted: true,
      identity: undefined,
    });
  });

  it('is not how an authenticator without the word for it is run', async () => {
    const refusing = new ClientCertificateError('ERR_CERTIFICATE_REQUIRED', {});
    for (const enforcement of [undefined, 'enforce', 'Report-Only', true, 'report-only ']) {
      const authenticator = { enforcement, authenticate: () => ({ status: 'rejected', error: refusing }) };
      await expect(admitRequest(authenticator as never, fromEdge())).resolves.toMatchObject({ admitted: false });
    }
  });

  it('changes no verdict: the authenticator still says who it is', async () => {
    expect(await reporting().authenticate(fromEdge(...linesOf(client)))).toMatchObject({
      status: 'authenticated',
      identity: { uris: ['urn:client'] },
    });
    expect(await reporting().authenticate(fromEdge(...linesOf(stranger)))).toMatchObject({ status: 'rejected' });
  });

  it('can stand before an authenticator that enforces', async () => {
    const request = fromEdge(...linesOf(client));
    await admitRequest(reporting({ presence: 'optional' }), request);
    await expect(admitRequest(behindEdge([root]), request)).resolves.toMatchObject({
      admitted: true,
      identity: { uris: ['urn:client'] },
    });
    expect(clientIdentityOf(request).uris).toEqual(['urn:client']);
    const bad = fromEdge(...linesOf(stranger));
    await admitRequest(reporting(), bad);
    await expect(admitRequest(behindEdge([root]), bad)).resolves.toMatchObject({ admitted: false });
  });

  it('leaves the identity alone when it stands behind an authenticator that enforces', async () => {
    const request = fromEdge(...linesOf(client));
    await admitRequest(behindEdge([root]), request);
    const identity = clientIdentityOf(request);
    expect(await admitRequest(reporting(), request)).toEqual({ admitted: true, identity });
    expect(clientIdentityOf(request)).toBe(identity);
    expect(request.rawHeaders).not.toContain(secretLine[0]);
  });
});
