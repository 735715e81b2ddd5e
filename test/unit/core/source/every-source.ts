import {
  alb,
  apache,
  caddy,
  cloudflare,
  cloudFront,
  envoy,
  type ForwardingOptions,
  haproxy,
  headerSource,
  nginx,
  onlyLine,
  parseBase64Der,
  rfc9440,
  type Source,
  traefik,
} from '@peercert/core';
import { edgeChannel } from '../../../support/requests';

type Lines = readonly (readonly [name: string, value: string])[];

/** One source as it can be set up, and how its proxy writes certificates, given their base64. */
export interface SourceCase {
  readonly title: string;
  readonly name: Source['name'];
  readonly make: (options?: Partial<ForwardingOptions>) => Source;
  /** Lines of a certificate and its chain; the value of the certificate's own header first. */
  readonly write: (endEntity: string, chain?: readonly string[]) => Lines;
  /** The header of the certificate, in lower case, and the longest value it may have. */
  readonly header: string;
  readonly maxLength: number;
  /** Where other certificates are: nowhere, in a header of their own, in the same one. */
  readonly chain: 'none' | 'own' | 'same';
  /** The header of the chain where it has one of its own. */
  readonly chainHeader?: string;
  /** What an empty value is. */
  readonly empty: 'absent' | 'malformed';
  readonly dialect: string;
  readonly proves: Source['proxyProves'];
  /** Lines that say that a certificate was presented, without it. */
  readonly presentedOnly?: Lines;
  /** Lines beside a certificate by which the proxy itself refuses it, and whether by contradiction. */
  readonly refusing?: readonly (readonly [code: 'refused' | 'contradicted', header: string, value: string])[];
  /** Lines about another certificate. */
  readonly disagreeing?: Lines;
}

const zeros = '0'.repeat(64);
const lineOf = (base64: string): string => (base64.match(/.{1,64}/gs) ?? []).join('\n');
export const pemOf = (base64: string, label = 'CERTIFICATE'): string =>
  `-----BEGIN ${label}-----\n${lineOf(base64)}\n-----END ${label}-----\n`;
const escapedPem = (...all: readonly string[]): string =>
  encodeURIComponent(all.map((base64) => pemOf(base64)).join(''));
const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64');

const rfc9440Lines = (endEntity: string, chain: readonly string[] = []): Lines => [
  ['Client-Cert', `:${endEntity}:`],
  ...(chain.length === 0 ? [] : [['Client-Cert-Chain', chain.map((base64) => `:${base64}:`).join(', ')] as const]),
];
const viewerCert = 'CloudFront-Viewer-Cert-';
const channel = edgeChannel;
const combinePemHeaders = {
  newHeaderName: 'X-Full-Chain',
  pemCertFormatInfo: { certHeader: '[', certFooter: ']', certEndMarker: ';' },
};

export const everySource: readonly SourceCase[] = [
  {
    title: 'cloudFront',
    name: 'cloudfront',
    make: (options) => cloudFront({ channel, ...options }),
    write: rfc9440Lines,
    header: 'client-cert',
    maxLength: 22_102,
    chain: 'own',
    chainHeader: 'client-cert-chain',
    empty: 'malformed',
    dialect: 'RFC 9440',
    proves: 'possession',
    presentedOnly: [[`${viewerCert}Present`, '1']],
    refusing: [['contradicted', `${viewerCert}Present`, '0']],
    disagreeing: [[`${viewerCert}Sha256`, zeros]],
  },
  {
    title: 'cloudFront, renamed',
    name: 'cloudfront',
    make: (options) =>
      cloudFront({
        channel,
        helpers: { renameClientCertHeaders: { 'Client-Cert': 'X-Leaf', 'Client-Cert-Chain': 'X-Chain' } },
        presentHeader: 'when-sent',
        ...options,
      }),
    write: (endEntity, chain) =>
      rfc9440Lines(endEntity, chain).map(([name, value]) => [name === 'Client-Cert' ? 'X-Leaf' : 'X-Chain', value]),
    header: 'x-leaf',
    maxLength: 22_102,
    chain: 'own',
    chainHeader: 'x-chain',
    empty: 'malformed',
    dialect: 'RFC 9440',
    proves: 'possession',
    presentedOnly: [[`${viewerCert}Present`, '1']],
    refusing: [['contradicted', `${viewerCert}Present`, '0']],
    disagreeing: [[`${viewerCert}Sha256`, zeros]],
  },
  {
    title: 'cloudFront, combined by its function',
    name: 'cloudfront',
    make: (options) => cloudFront({ channel, helpers: { combinePemHeaders }, presentHeader: 'when-sent', ...options }),
    write: (endEntity, chain = []) => [
      ['X-Full-Chain', [endEntity, ...chain].map((base64) => `[${base64}];`).join('')],
    ],
    header: 'x-full-chain',
    maxLength: 65_536,
    chain: 'same',
    empty: 'malformed',
    dialect: 'the format of your CloudFront Function',
    proves: 'possession',
    presentedOnly: [[`${viewerCert}Present`, '1']],
    refusing: [['contradicted', `${viewerCert}Present`, '0']],
    disagreeing: [[`${viewerCert}Sha256`, zeros]],
  },
  ...(['required', 'optional'] as const).map((mode): SourceCase => ({
    title: `cloudFront, ${mode} mode`,
    name: 'cloudfront',
    make: (options) => cloudFront({ channel, mode, ...options }),
    write: (endEntity) => [[`${viewerCert}Pem`, escapedPem(endEntity)]],
    header: 'cloudfront-viewer-cert-pem',
    maxLength: 33_381,
    chain: 'none',
    empty: 'malformed',
    dialect: 'URL-encoded PEM',
    proves: 'path',
    presentedOnly: [[`${viewerCert}Present`, '1']],
    refusing: [['contradicted', `${viewerCert}Present`, '0']],
    disagreeing: [
      [`${viewerCert}Sha256`, zeros],
      [`${viewerCert}Serial-Number`, '4a:3f:5c:92'],
      [`${viewerCert}Validity`, 'NotBefore=2001-01-01T00:00:00Z;NotAfter=2001-02-01T00:00:00Z'],
    ],
  })),
  {
    title: 'alb, passthrough mode',
    name: 'alb',
    make: (options) => alb({ channel, mode: 'passthrough', ...options }),
    write: (endEntity, chain = []) => [['X-Amzn-Mtls-Clientcert', escapedPem(endEntity, ...chain)]],
    header: 'x-amzn-mtls-clientcert',
    maxLength: 65_536,
    chain: 'same',
    empty: 'malformed',
    dialect: 'URL-encoded PEM',
    proves: 'possession',
  },
  {
    title: 'alb, verify mode',
    name: 'alb',
    make: (options) => alb({ channel, mode: 'verify', ...options }),
    write: (endEntity) => [['X-Amzn-Mtls-Clientcert-Leaf', escapedPem(endEntity)]],
    header: 'x-amzn-mtls-clientcert-leaf',
    maxLength: 33_381,
    chain: 'none',
    empty: 'malformed',
    dialect: 'URL-encoded PEM',
    proves: 'path',
    presentedOnly: [['X-Amzn-Mtls-Clientcert-Serial-Number', '03A5B1']],
    disagreeing: [
      ['X-Amzn-Mtls-Clientcert-Serial-Number', '03A5B1'],
      ['X-Amzn-Mtls-Clientcert-Validity', 'NotBefore=2001-01-01T00:00:00Z;NotAfter=2001-02-01T00:00:00Z'],
    ],
  },
  {
    title: 'nginx',
    name: 'nginx',
    make: (options) => nginx({ channel, ...options }),
    write: (endEntity) => [['ssl-client-cert', escapedPem(endEntity)]],
    header: 'ssl-client-cert',
    maxLength: 33_381,
    chain: 'none',
    empty: 'absent',
    dialect: 'URL-encoded PEM',
    proves: 'possession',
    presentedOnly: [['ssl-client-verify', 'SUCCESS']],
    refusing: [
      ['refused', 'ssl-client-verify', 'FAILED:certificate has expired'],
      ['refused', 'ssl-client-verify', 'FAILED'],
      ['contradicted', 'ssl-client-verify', 'NONE'],
    ],
  },
  {
    title: 'haproxy',
    name: 'haproxy',
    make: (options) => haproxy({ channel, ...options }),
    write: (endEntity, chain = []) => [
      ['X-SSL-Client-Cert', endEntity],
      ...(chain.length === 0
        ? []
        : [['X-SSL-Client-Chain', Buffer.concat(chain.map(bytes)).toString('base64')] as const]),
    ],
    header: 'x-ssl-client-cert',
    maxLength: 21_848,
    chain: 'own',
    chainHeader: 'x-ssl-client-chain',
    empty: 'malformed',
    dialect: 'bare base64 DER',
    proves: 'possession',
    presentedOnly: [['X-SSL-Client-Used', '1']],
    refusing: [
      ['refused', 'X-SSL-Client-Verify', '10'],
      ['contradicted', 'X-SSL-Client-Used', '0'],
    ],
  },
  {
    title: 'apache',
    name: 'apache',
    make: (options) => apache({ channel, ...options }),
    write: (endEntity) => [['X-SSL-Client-Cert', pemOf(endEntity).replaceAll('\n', ' ').trimEnd()]],
    header: 'x-ssl-client-cert',
    maxLength: 22_254,
    chain: 'none',
    empty: 'absent',
    dialect: 'space-folded PEM',
    proves: 'possession',
    presentedOnly: [['X-SSL-Client-Verify', 'GENEROUS']],
    refusing: [
      ['refused', 'X-SSL-Client-Verify', 'FAILED:certificate has expired'],
      ['contradicted', 'X-SSL-Client-Verify', 'NONE'],
    ],
  },
  {
    title: 'caddy',
    name: 'caddy',
    make: (options) => caddy({ channel, ...options }),
    write: (endEntity) => [['X-Client-Cert', endEntity]],
    header: 'x-client-cert',
    maxLength: 21_848,
    chain: 'none',
    empty: 'absent',
    dialect: 'bare base64 DER',
    proves: 'possession',
  },
  {
    title: 'traefik',
    name: 'traefik',
    make: (options) => traefik({ channel, ...options }),
    write: (endEntity, chain = []) => [['X-Forwarded-Tls-Client-Cert', [endEntity, ...chain].join(',')]],
    header: 'x-forwarded-tls-client-cert',
    maxLength: 65_536,
    chain: 'same',
    empty: 'malformed',
    dialect: 'bare base64 DER',
    proves: 'possession',
  },
  {
    title: 'traefik, before 2.9.4',
    name: 'traefik',
    make: (options) => traefik({ channel, encoding: 'escaped-pem', ...options }),
    write: (endEntity, chain = []) => [
      ['X-Forwarded-Tls-Client-Cert', [endEntity, ...chain].map(encodeURIComponent).join(',')],
    ],
    header: 'x-forwarded-tls-client-cert',
    maxLength: 65_536,
    chain: 'same',
    empty: 'malformed',
    dialect: 'URL-encoded base64 DER',
    proves: 'possession',
  },
  {
    title: 'cloudflare',
    name: 'cloudflare',
    make: (options) => cloudflare({ channel, ...options }),
    write: rfc9440Lines,
    header: 'client-cert',
    maxLength: 13_658,
    chain: 'own',
    chainHeader: 'client-cert-chain',
    empty: 'absent',
    dialect: 'RFC 9440',
    proves: 'possession',
  },
  {
    title: 'cloudflare, DER in base64',
    name: 'cloudflare',
    make: (options) => cloudflare({ channel, format: 'der-base64', ...options }),
    write: (endEntity) => [['Cf-Client-Cert-Der-Base64', endEntity]],
    header: 'cf-client-cert-der-base64',
    maxLength: 21_848,
    chain: 'none',
    empty: 'absent',
    dialect: 'bare base64 DER',
    proves: 'possession',
    presentedOnly: [['Cf-Client-Cert-Sha256', zeros]],
    disagreeing: [['Cf-Client-Cert-Sha256', zeros]],
  },
  {
    title: 'envoy',
    name: 'envoy',
    make: (options) => envoy({ channel, ...options }),
    write: (endEntity, chain = []) => [
      [
        'X-Forwarded-Client-Cert',
        chain.length === 0 ? `Cert="${escapedPem(endEntity)}"` : `Chain="${escapedPem(endEntity, ...chain)}"`,
      ],
    ],
    header: 'x-forwarded-client-cert',
    maxLength: 61_440,
    chain: 'same',
    empty: 'malformed',
    dialect: 'X-Forwarded-Client-Cert',
    proves: 'possession',
    presentedOnly: [['X-Forwarded-Client-Cert', `Hash=${zeros}`]],
  },
  {
    title: 'rfc9440',
    name: 'rfc9440',
    make: (options) => rfc9440({ channel, ...options }),
    write: rfc9440Lines,
    header: 'client-cert',
    maxLength: 22_102,
    chain: 'own',
    chainHeader: 'client-cert-chain',
    empty: 'malformed',
    dialect: 'RFC 9440',
    proves: 'possession',
  },
  {
    title: 'headerSource',
    name: 'app-service',
    make: (options) =>
      headerSource({
        name: 'app-service',
        channel,
        fields: ['X-ARR-ClientCert'],
        maxHeaderBytes: 16_384,
        read: ([lines]) => {
          const line = onlyLine(lines, 'x-arr-clientcert');
          if (line === undefined) return undefined;
          return { decodeChain: () => [], decodeEndEntity: () => parseBase64Der(line, 'x-arr-clientcert') };
        },
        ...options,
      }),
    write: (endEntity) => [['X-ARR-ClientCert', endEntity]],
    header: 'x-arr-clientcert',
    maxLength: 21_848,
    chain: 'none',
    empty: 'malformed',
    dialect: 'none',
    proves: 'nothing',
  },
];
