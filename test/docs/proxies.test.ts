import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as core from '@peercert/core';
import {
  albHeaders,
  cloudflareHeaders,
  cloudFrontHeaders,
  createAuthority,
  envoyHeaders,
  TEST_TIME,
  type TestCertificate,
  traefikHeaders,
} from '@peercert/testkit';
import { codeUnder } from '../support/pages';
import { callerOf, edgeChannel, requestOf, secretLine } from '../support/requests';
import { proxies } from '../proxies/proxies';
import { secretLineOf } from '../proxies/site';

const page = 'docs/proxies.md';
const text = readFileSync(resolve(__dirname, '../..', page), 'utf8');

const authority = createAuthority();
const issuing = authority.issueIntermediate();
const device = issuing.issue({ uris: ['urn:device:1'] });
const edge = createAuthority().issue({ dnsNames: ['cf-e2example.origin.example.com'] });
const trust = core.TrustStore.fromDer([authority.der], { intermediates: [issuing.der] });

type Lines = readonly (readonly [string, string])[];

/** What a block makes of what it takes for granted: the value of one of its names. */
function valueIn(code: string, name: string, known: Readonly<Record<string, unknown>> = {}): unknown {
  const names = { ...core, ...known };
  // oxlint-disable-next-line typescript/no-implied-eval -- the page is what is tested
  return new Function(...Object.keys(names), `${code}\nreturn ${name};`)(...Object.values(names));
}

/** The source that a recipe makes. A channel of its own stands in it, unless one is given. */
function sourceOf(heading: string, known: Readonly<Record<string, unknown>> = { channel: edgeChannel }): core.Source {
  return valueIn(codeUnder(page, heading, 'js').at(-1) ?? '', 'source', known) as core.Source;
}

async function callerThrough(source: core.Source, lines: Lines, remoteAddress?: string): Promise<readonly string[]> {
  const clock = (): number => TEST_TIME.getTime();
  const authenticator = core.createAuthenticator({ trust, source, clock });
  const socket = { encrypted: true, destroyed: false, remoteAddress };
  return callerOf(authenticator, requestOf([secretLine, ...lines].flat(), socket));
}

describe('"Which source reads what"', () => {
  const [, table = ''] = /^## Which source reads what\n+([^]*?)\n\n/m.exec(text) ?? [];
  const rows = table
    .split('\n')
    .slice(2)
    .map((row) => row.split('|').map((cell) => cell.trim()));

  it('has every preset', () => {
    const named = rows.map(([, code = '']) => /^`(\w+)\(/.exec(code)?.[1] ?? code);
    const presets = ['alb', 'apache', 'caddy', 'cloudFront', 'cloudflare', 'envoy', 'haproxy', 'nativeTls'];
    expect([...new Set(named)].toSorted()).toEqual([...presets, 'nginx', 'rfc9440', 'traefik']);
  });

  it.each(rows)('%s%s says what the source says', (_, code = '', __, fields = '', proves = '', ___, octets = '') => {
    const source = valueIn('', code.slice(1, -1), { channel: edgeChannel }) as core.Source;
    const listed = [...fields.matchAll(/`([^`]+)`/g)].map(([, field]) => field);
    expect({ fields: listed, proxyProves: proves, maxHeaderBytes: Number(octets) }).toEqual({
      fields: source.fields,
      proxyProves: source.proxyProves,
      maxHeaderBytes: source.maxHeaderBytes,
    });
    const preset = /^`(\w+)/.exec(code)?.[1]?.toLowerCase();
    expect(source.name.replace('-', '')).toBe(preset);
  });
});

describe('the configurations', () => {
  const configurations: readonly (readonly [heading: string, language: string])[] = [
    ...proxies.map(({ heading, language }) => [heading, language] as const),
    ['Traefik', 'yaml'],
    ['Cloudflare', 'json'],
  ];

  it.each(configurations)('of %s sets or removes every field that the source reads', (heading, language) => {
    const configuration = codeUnder(page, heading, language).join('\n').toLowerCase();
    for (const field of sourceOf(heading).fields) expect(configuration).toMatch(new RegExp(`\\b${field}\\b`));
  });

  it.each(proxies)('of $heading are run as they stand, with its line for a secret', (proxy) => {
    // By test/proxies; here is that the line, and the origin it belongs to, agree about the secret.
    const [channel = ''] = codeUnder(page, "A secret in place of the proxy's certificate", 'js');
    const [, header = '', secret = ''] = / (X-[\w-]+) "(.*)"/.exec(secretLineOf(proxy)) ?? [];
    expect(channel).toContain(`header: '${header}', secrets: ['${secret}']`);
    expect((valueIn(channel, 'channel') as core.ChannelProof).consumedHeaders).toEqual([header.toLowerCase()]);
  });

  it('of Cloudflare sets the fields for good certificates, and removes the same for everybody else', () => {
    interface Rule {
      readonly expression: string;
      readonly action_parameters: { readonly headers: Readonly<Record<string, object>> };
    }
    const { rules } = JSON.parse(codeUnder(page, 'Cloudflare', 'json').join('')) as { rules: readonly Rule[] };
    const [good, others] = rules as [Rule, Rule];
    expect(rules).toHaveLength(2);
    expect(others.expression).toBe(`not ${good.expression}`);
    expect(good.expression).toBe('(cf.tls_client_auth.cert_verified and not cf.tls_client_auth.cert_revoked)');
    const removed = { operation: 'remove' };
    expect(others.action_parameters.headers).toEqual({ 'Client-Cert': removed, 'Client-Cert-Chain': removed });
    expect(good.action_parameters.headers).toEqual({
      'Client-Cert': { operation: 'set', expression: 'cf.tls_client_auth.cert_rfc9440' },
      'Client-Cert-Chain': { operation: 'set', expression: 'cf.tls_client_auth.cert_chain_rfc9440' },
    });
  });

  it('of Traefik forgets what the client sent before it sets its own', () => {
    const [configuration = ''] = codeUnder(page, 'Traefik', 'yaml');
    expect(configuration).toContain('middlewares: [forget, client-certificate]');
    expect(configuration).toContain("X-Forwarded-Tls-Client-Cert: ''");
    expect(configuration).toContain('clientAuthType: RequestClientCert');
  });

  it('of Envoy sets the header and no other', () => {
    const [listener = '', cluster = ''] = codeUnder(page, 'Envoy', 'yaml');
    expect(listener).toContain('forward_client_cert_details: SANITIZE_SET');
    expect(listener).toContain('set_current_client_cert_details: { cert: true, chain: true }');
    expect(cluster).toContain('/etc/proxy/proxy.pem');
  });

  it('of the load balancer is the mode that the source is in', () => {
    const [command = ''] = codeUnder(page, 'Application Load Balancer', 'sh');
    const [, mode = ''] = /--mutual-authentication Mode=(\w+)/.exec(command) ?? [];
    expect(codeUnder(page, 'Application Load Balancer', 'js').join('')).toContain(`mode: '${mode}'`);
  });
});

describe('the recipes', () => {
  const forwarded: readonly (readonly [heading: string, (certificate: TestCertificate) => Lines])[] = [
    ['Traefik', (certificate) => traefikHeaders(certificate)],
    ['Envoy', (certificate) => envoyHeaders(certificate)],
    ['Cloudflare', (certificate) => cloudflareHeaders(certificate)],
    ['CloudFront in required and optional mode', (certificate) => cloudFrontHeaders(certificate, { mode: 'required' })],
  ];
  const known = { channel: edgeChannel, originMtls: () => edgeChannel, TrustStore: { fromFile: () => trust } };

  it.each(forwarded)('of %s reads what the proxy is said to write', async (heading, headersOf) => {
    const code = codeUnder(page, heading, 'js').join('\n');
    const declaresChannel = code.includes('const channel');
    const { channel, ...others } = known;
    const source = valueIn(code, 'source', declaresChannel ? others : { channel }) as core.Source;
    await expect(callerThrough(source, headersOf(device))).resolves.toEqual(['urn:device:1']);
    await expect(callerThrough(source, [])).rejects.toMatchObject({ code: 'ERR_CERTIFICATE_REQUIRED' });
  });

  it('of the load balancer believes its subnets only', async () => {
    const source = sourceOf('Application Load Balancer', {});
    const lines = albHeaders(device);
    await expect(callerThrough(source, lines, '10.0.2.7')).resolves.toEqual(['urn:device:1']);
    await expect(callerThrough(source, lines, '10.0.3.7')).rejects.toMatchObject({ code: 'ERR_CHANNEL_UNTRUSTED' });
  });

  it('of a load balancer behind CloudFront tells the two certificates apart', async () => {
    const source = sourceOf('CloudFront, then a load balancer, then Node', {});
    const viewer = cloudFrontHeaders(device);
    const lines = [...viewer, ...albHeaders(edge, { mode: 'verify' })];
    await expect(callerThrough(source, lines, '10.0.1.7')).resolves.toEqual(['urn:device:1']);
    const untrusted = { code: 'ERR_CHANNEL_UNTRUSTED' };
    const another = [...viewer, ...albHeaders(device, { mode: 'verify' })];
    await expect(callerThrough(source, another, '10.0.1.7')).rejects.toMatchObject(untrusted);
    await expect(callerThrough(source, viewer, '10.0.1.7')).rejects.toMatchObject(untrusted);
    await expect(callerThrough(source, lines, '10.0.3.7')).rejects.toMatchObject(untrusted);
  });

  it('of cf.mtls gives the source what the function gives to CloudFront', async () => {
    const [cloudFrontFunction = '', origin = ''] = codeUnder(page, 'CloudFront with cf.mtls', 'js');
    const combinePemHeaders = jest.fn();
    const handler = valueIn(cloudFrontFunction.replace("import cf from 'cloudfront';", ''), 'handler', {
      cf: { mtls: { combinePemHeaders } },
    }) as (event: object) => unknown;
    const request = {};
    expect(handler({ request })).toBe(request);
    const given = valueIn(origin, 'combinePemHeaders', { channel: edgeChannel }) as core.PemHeader;
    expect(combinePemHeaders.mock.calls).toEqual([[given]]);
    const source = valueIn(origin, 'source', { channel: edgeChannel }) as core.Source;
    const lines = cloudFrontHeaders(device, { helpers: { combinePemHeaders: given } });
    expect(lines.map(([name]) => name)).toContain('X-Full-Chain');
    await expect(callerThrough(source, lines)).resolves.toEqual(['urn:device:1']);
    const unsaid = lines.filter(([name]) => name === 'X-Full-Chain');
    await expect(callerThrough(source, unsaid)).rejects.toMatchObject({ code: 'ERR_HEADER_INCONSISTENT' });
  });

  it('"No proxy at all" makes the source of TLS itself', () => {
    expect(sourceOf('No proxy at all', {}).name).toBe('native-tls');
  });
});

describe('"A source in ten lines"', () => {
  const [code = ''] = codeUnder(page, 'A source in ten lines', 'js');
  const source = valueIn(code, 'source', { channel: edgeChannel }) as core.Source;
  const line = ['X-Device-Certificate', device.der.toString('base64')] as const;

  it('is ten lines', () => {
    expect(code.trim().split('\n').length).toBeLessThanOrEqual(10);
  });

  it('reads the one certificate', async () => {
    await expect(callerThrough(source, [line])).resolves.toEqual(['urn:device:1']);
  });

  const wrong: readonly (readonly [string, string, Lines])[] = [
    ['no certificate', 'ERR_CERTIFICATE_REQUIRED', []],
    ['two', 'ERR_HEADER_REPEATED', [line, line]],
    ['what is no base64', 'ERR_HEADER_MALFORMED', [[line[0], '-----BEGIN']]],
    ['a look-alike beside it', 'ERR_HEADER_AMBIGUOUS', [line, ['X_Device_Certificate', line[1]]]],
  ];

  it.each(wrong)('refuses %s: %s', async (_, refusal, lines) => {
    await expect(callerThrough(source, lines)).rejects.toMatchObject({ code: refusal });
  });
});
