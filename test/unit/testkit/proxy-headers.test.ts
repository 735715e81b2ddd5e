import { hash } from 'node:crypto';
import {
  albHeaders,
  apacheHeaders,
  caddyHeaders,
  cloudflareHeaders,
  cloudFrontHeaders,
  createAuthority,
  envoyHeaders,
  haproxyHeaders,
  nginxHeaders,
  rfc9440Headers,
  traefikHeaders,
} from '@peercert/testkit';

const root = createAuthority();
const intermediate = root.issueIntermediate();
const notBefore = new Date('2026-01-02T03:04:05Z');
const notAfter = new Date('2027-01-02T03:04:05Z');
const client = intermediate.issue({
  subject: 'CN=alice,O=Example',
  uris: ['urn:alice'],
  dnsNames: ['a.example'],
  serialNumber: 0x03a5b1n,
  notBefore,
  notAfter,
});
const base64 = client.der.toString('base64');
const chain = intermediate.der.toString('base64');
const digest = hash('sha256', client.der, 'hex');
const validity = 'NotBefore=2026-01-02T03:04:05Z;NotAfter=2027-01-02T03:04:05Z';
const escaped = encodeURIComponent(client.pem);
/** The load balancer leaves three characters as they are. */
const partly = (pem: string): string =>
  encodeURIComponent(pem).replaceAll('%2B', '+').replaceAll('%2F', '/').replaceAll('%3D', '=');

it.each<[string, [string, string][], [string, string][]]>([
  [
    'an ALB in passthrough mode',
    albHeaders(client),
    [['X-Amzn-Mtls-Clientcert', partly(client.pem + intermediate.pem)]],
  ],
  [
    'an ALB in verify mode',
    albHeaders(client, { mode: 'verify' }),
    [
      ['X-Amzn-Mtls-Clientcert-Leaf', partly(client.pem)],
      ['X-Amzn-Mtls-Clientcert-Serial-Number', '03A5B1'],
      ['X-Amzn-Mtls-Clientcert-Validity', validity],
    ],
  ],
  [
    'nginx',
    nginxHeaders(client),
    [
      ['ssl-client-cert', escaped],
      ['ssl-client-verify', 'SUCCESS'],
    ],
  ],
  [
    'nginx with other names',
    nginxHeaders(client, { header: 'X-A', verifyHeader: 'X-B', verify: 'NONE' }),
    [
      ['X-A', escaped],
      ['X-B', 'NONE'],
    ],
  ],
  [
    'HAProxy',
    haproxyHeaders(client, { chain: [intermediate.der, root.der] }),
    [
      ['X-SSL-Client-Cert', base64],
      ['X-SSL-Client-Chain', Buffer.concat([intermediate.der, root.der]).toString('base64')],
      ['X-SSL-Client-Used', '1'],
      ['X-SSL-Client-Verify', '0'],
    ],
  ],
  [
    'Apache',
    apacheHeaders(client),
    [
      ['X-SSL-Client-Cert', client.pem.replaceAll('\n', ' ').slice(0, -1)],
      ['X-SSL-Client-Verify', 'SUCCESS'],
    ],
  ],
  ['Caddy', caddyHeaders(client), [['X-Client-Cert', base64]]],
  ['Traefik', traefikHeaders(client), [['X-Forwarded-Tls-Client-Cert', `${base64},${chain}`]]],
  [
    'Traefik before 2.9.4',
    traefikHeaders(client, { encoding: 'escaped-pem' }),
    [['X-Forwarded-Tls-Client-Cert', `${encodeURIComponent(base64)},${encodeURIComponent(chain)}`]],
  ],
  ['Cloudflare', cloudflareHeaders(client), rfc9440Headers(client)],
  [
    'Cloudflare, DER in base64',
    cloudflareHeaders(client, { format: 'der-base64' }),
    [
      ['Cf-Client-Cert-Der-Base64', base64],
      ['Cf-Client-Cert-Sha256', digest],
    ],
  ],
  [
    'RFC 9440',
    rfc9440Headers(client),
    [
      ['Client-Cert', `:${base64}:`],
      ['Client-Cert-Chain', `:${chain}:`],
    ],
  ],
  ['RFC 9440 without a chain', rfc9440Headers(client, { chain: [] }), [['Client-Cert', `:${base64}:`]]],
  [
    'Envoy',
    envoyHeaders(client),
    [
      [
        'X-Forwarded-Client-Cert',
        `By=spiffe://mesh.example/ingress;Hash=${digest};Cert="${escaped}";` +
          `Chain="${encodeURIComponent(client.pem + intermediate.pem)}";Subject="O=Example,CN=alice";URI=urn:alice;DNS=a.example`,
      ],
    ],
  ],
  [
    'an Envoy that appends',
    envoyHeaders(client, { by: 'urn:b', details: [], appendTo: 'Hash=a' }),
    [
      [
        'X-Forwarded-Client-Cert',
        `Hash=a,By=urn:b;Hash=${digest};Subject="O=Example,CN=alice";URI=urn:alice;DNS=a.example`,
      ],
    ],
  ],
  [
    'CloudFront in required mode',
    cloudFrontHeaders(client, { mode: 'required' }),
    [
      ['CloudFront-Viewer-Cert-Present', '1'],
      ['CloudFront-Viewer-Cert-Pem', escaped],
      ['CloudFront-Viewer-Cert-Sha256', digest],
      ['CloudFront-Viewer-Cert-Serial-Number', '03:a5:b1'],
      ['CloudFront-Viewer-Cert-Validity', validity],
    ],
  ],
  [
    'CloudFront with a function',
    cloudFrontHeaders(client, {
      helpers: {
        combinePemHeaders: { newHeaderName: 'X-All', pemCertFormatInfo: { certHeader: '<', certFooter: '>' } },
      },
    }),
    [
      ['X-All', `<${base64}>, <${chain}>`],
      ['CloudFront-Viewer-Cert-Present', '1'],
    ],
  ],
])('the headers of %s are these', (_, written, expected) => {
  expect(written).toEqual(expected);
});
