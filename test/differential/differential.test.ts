import { createAuthority } from '@peercert/testkit';
import { Certificate } from '../../packages/core/src/x509/certificate';
import type { Judge } from './compare';
import { compareDecoders } from './decoders';
import { runDifferential } from './differential';
import { opensslVersion } from './openssl';
import { seedHierarchies } from './seeds';

describe('peercert beside OpenSSL', () => {
  jest.setTimeout(60_000);
  const hierarchies = seedHierarchies();

  it('has an openssl to be compared with', async () => {
    expect(await opensslVersion()).toMatch(/^OpenSSL \d/);
  });

  it('accepts nothing that OpenSSL refuses without a reason we know, in 150 changed chains', async () => {
    const { tally, found } = await runDifferential({ cases: 150, hierarchies, seed: 20_260_601 });
    expect(found.map(({ case: { log }, findings }) => ({ log, findings }))).toEqual([]);
    expect(tally.cases).toBe(150);
    // Otherwise nothing was compared.
    expect(Math.min(tally.bothAccept, tally.bothRefuse)).toBeGreaterThan(20);
  });

  it('would not go unnoticed if it accepted everything', async () => {
    const credulous: Judge = async ({ setting: { intermediates, anchors }, endEntity }) => {
      return { kind: 'accepted', path: [endEntity, ...intermediates, ...anchors], policies: [] };
    };
    const { found } = await runDifferential({ cases: 60, hierarchies, seed: 20_260_601, judge: credulous });
    expect(found.flatMap(({ findings }) => findings.map(({ kind }) => kind))).toContain('OpenSSL refuses');
  });

  it('would not go unnoticed if it threw something that is no verdict', async () => {
    const clumsy: Judge = async () => ({ kind: 'failed', error: new TypeError('x') });
    const { found } = await runDifferential({ cases: 1, hierarchies, seed: 1, judge: clumsy });
    expect(found.flatMap(({ findings }) => findings.map(({ kind }) => kind))).toContain('peercert fails');
  });
});

describe('what peercert reads beside other decoders', () => {
  const root = createAuthority();
  const client = root.issue({
    subject: 'O=Example,CN=client',
    dnsNames: ['a.example.com'],
    ipAddresses: ['2001:db8::1'],
  });

  it('is the same in an honest certificate', () => {
    expect(compareDecoders(Certificate.copyOf(client.der))).toEqual([]);
  });

  it('would not go unnoticed if it were another certificate', () => {
    const other = Certificate.copyOf(root.issue({ notAfter: new Date('2027-01-01T00:00:00Z') }).der);
    const fields = (decoder: string): readonly string[] => {
      return compareDecoders(other, client.der).flatMap((one) => (one.decoder === decoder ? [one.what] : []));
    };
    expect(fields('node')).toEqual(['serialNumber', 'notAfter', 'subject', 'subjectAltName']);
    expect(fields('@peculiar/x509')).toEqual(['serialNumber', 'notAfter', 'subject', 'subjectAltName']);
  });

  it('would not go unnoticed if they could not read it', () => {
    expect(compareDecoders(Certificate.copyOf(client.der), Buffer.of(1))).toMatchObject([
      { decoder: 'node', what: 'throws' },
      { decoder: '@peculiar/x509', what: 'throws' },
    ]);
  });
});
