import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apacheHeaders, caddyHeaders, haproxyHeaders, nginxHeaders, type TestCertificate } from '@peercert/testkit';
import { searching } from './processes';

/** Where a proxy listens, and whom it asks. */
export interface Ports {
  readonly proxy: number;
  readonly origin: number;
}

/** A proxy that can be run here: its recipe is a heading of docs/proxies.md. */
export interface Proxy {
  readonly name: 'nginx' | 'haproxy' | 'apache' | 'caddy';
  /** Heading of the recipe, and language of its configuration. */
  readonly heading: string;
  readonly language: string;
  /** The Debian package. */
  readonly package: string;
  readonly command: string;
  readonly versionArguments: readonly string[];
  /** What the proxy writes for a certificate, for clients who write it themselves. */
  readonly headersFor: (certificate: TestCertificate) => [name: string, value: string][];
  /** Where the recipe has the port of the proxy, and what stands there instead. */
  readonly listening: Readonly<Record<string, (port: number) => string>>;
  /** The beginning of the line that sets the certificate header, and of the part that shows the origin a certificate. */
  readonly setting: string;
  readonly certificate: RegExp;
  /** Writes whatever belongs around the recipe, which is the file `recipe`. @returns the arguments. */
  readonly around: (folder: string) => readonly string[];
}

const isRoot = process.getuid?.() === 0;

export const proxies: readonly Proxy[] = [
  {
    name: 'nginx',
    heading: 'nginx',
    language: 'nginx',
    package: 'nginx',
    command: 'nginx',
    versionArguments: ['-v'],
    headersFor: nginxHeaders,
    setting: 'proxy_set_header ssl-client-cert ',
    certificate: /^ *proxy_ssl_certificate(_key)? .*\n/gm,
    listening: { 'listen 443 ssl': (port) => `listen 127.0.0.1:${port} ssl` },
    // The recipe is a file of /etc/nginx/conf.d; this is what Debian's nginx.conf is around it.
    around(folder) {
      const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
      const paths = kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ');
      const http = `http { access_log off; ${paths} include ${folder}/recipe; }`;
      const main = `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr; events {}`;
      writeFileSync(join(folder, 'nginx.conf'), `${main} ${http}\n`);
      return ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'];
    },
  },
  {
    name: 'haproxy',
    heading: 'HAProxy',
    language: 'haproxy',
    package: 'haproxy',
    command: 'haproxy',
    versionArguments: ['-v'],
    headersFor: (certificate) => haproxyHeaders(certificate),
    setting: 'http-request set-header X-SSL-Client-Cert ',
    certificate: /(?<=ssl )crt \S*proxy-and-key\.pem /g,
    listening: { 'bind :443': (port) => `bind 127.0.0.1:${port}` },
    around: (folder) => ['-db', '-f', join(folder, 'recipe')],
  },
  {
    name: 'apache',
    heading: 'Apache',
    language: 'apache',
    package: 'apache2',
    command: 'apache2',
    versionArguments: ['-v'],
    headersFor: (certificate) => apacheHeaders(certificate),
    setting: 'RequestHeader set X-SSL-Client-Cert ',
    certificate: /^ *SSLProxyMachineCertificateFile .*\n/gm,
    listening: {
      'Listen 443': (port) => `Listen 127.0.0.1:${port}`,
      '<VirtualHost *:443>': (port) => `<VirtualHost *:${port}>`,
    },
    // The recipe is a file of sites-enabled, with the modules that it names.
    around(folder) {
      const modules = ['mpm_event', 'authz_core', 'ssl', 'headers', 'proxy', 'proxy_http', 'socache_shmcb'];
      const config = [
        ...modules.map((module) => `LoadModule ${module}_module /usr/lib/apache2/modules/mod_${module}.so`),
        // Apache does not serve as root.
        ...(isRoot ? ['User www-data', 'Group www-data'] : []),
        `ServerRoot ${folder}`,
        `DefaultRuntimeDir ${folder}`,
        `PidFile ${folder}/apache.pid`,
        `Mutex file:${folder}`,
        'ServerName localhost',
        `ErrorLog ${folder}/error.log`,
        // As in ssl.conf of Debian.
        `SSLSessionCache shmcb:${folder}/sessions(512000)`,
        // Connections to the origin are kept by each process for itself.
        'StartServers 1',
        'ServerLimit 1',
        'ThreadsPerChild 8',
        'MaxRequestWorkers 8',
        `Include ${folder}/recipe`,
      ];
      writeFileSync(join(folder, 'apache.conf'), `${config.join('\n')}\n`);
      return ['-d', folder, '-f', join(folder, 'apache.conf'), '-DFOREGROUND'];
    },
  },
  {
    name: 'caddy',
    heading: 'Caddy',
    language: 'caddy',
    package: 'caddy',
    command: 'caddy',
    versionArguments: ['version'],
    headersFor: (certificate) => caddyHeaders(certificate),
    setting: 'header_up X-Client-Cert ',
    certificate: /^ *tls_client_auth .*\n/gm,
    listening: { 'api.example.com:443': (port) => `api.example.com:${port}` },
    around(folder) {
      const global = '{\n  admin off\n  auto_https disable_redirects\n  default_bind 127.0.0.1\n}\n';
      writeFileSync(join(folder, 'Caddyfile'), `${global}import ${folder}/recipe\n`);
      return ['run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')];
    },
  },
];

/** The version a proxy says it is; undefined where it is not installed. */
export function versionOf({ command, versionArguments }: Proxy): string | undefined {
  const { error, stdout, stderr } = spawnSync(command, [...versionArguments], { encoding: 'utf8', env: searching });
  if (error !== undefined) return undefined;
  return /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] ?? 'of unknown version';
}
