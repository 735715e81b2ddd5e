import { casesOf } from './cases';
import { mintClients } from './pki';
import { type Proxy, versionOf } from './proxies';
import { startSite } from './site';

/** What became of one case. */
export interface ProxyResult {
  readonly proxy: Proxy['name'];
  readonly version: string;
  readonly case: string;
  readonly expected: string;
  readonly actual: string;
}

/** Runs every case with a proxy that is installed, one after another. */
export async function runCases(
  proxy: Proxy,
  pki: Awaited<ReturnType<typeof mintClients>>,
): Promise<readonly ProxyResult[]> {
  const version = versionOf(proxy) ?? 'not installed';
  const [required, optional] = await Promise.all([
    startSite(proxy, pki),
    startSite(proxy, pki, { presence: 'optional' }),
  ]);
  try {
    const results: ProxyResult[] = [];
    for (const { case: name, expected, actual } of casesOf(proxy)) {
      const found = await actual({ required, optional }).catch(String);
      results.push({ proxy: proxy.name, version, case: name, expected, actual: found });
    }
    return results;
  } finally {
    await Promise.all([required.stop(), optional.stop()]);
  }
}
