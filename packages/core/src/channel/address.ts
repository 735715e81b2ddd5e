import { BlockList, isIP, type Socket } from 'node:net';

/** Networks no stranger on the internet has an address in: loopback, RFC 1918, link-local, unique local (RFC 6890). */
const privateNetworks: readonly string[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
];

interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** A set of addresses. IPv4-mapped IPv6 addresses count as IPv4, and a zone (`%eth0`) is passed over. */
export class AddressSet {
  readonly #networks: readonly Network[];
  #list: BlockList | undefined;

  /** @throws {TypeError} for anything but addresses and networks in CIDR form. */
  constructor(cidrs: readonly string[]) {
    this.#networks = cidrs.map(parseNetwork);
  }

  has(address: string | undefined): boolean {
    if (address === undefined) return false;
    const [plain = ''] = address.split('%');
    const version = isIP(plain);
    // Made when it is first asked: the process that loads this may never ask.
    this.#list ??= listOf(this.#networks);
    return version !== 0 && this.#list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  }

  /** Whether every network lies inside one of the other set's. */
  isWithin(other: AddressSet): boolean {
    return this.#networks.every(({ address, prefix, family }) => {
      return other.#networks.some((wide) => {
        if (wide.family !== family || wide.prefix > prefix) return false;
        return listOf([wide]).check(address, family);
      });
    });
  }
}

function listOf(networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const { address, prefix, family } of networks) list.addSubnet(address, prefix, family);
  return list;
}

export const privateAddresses = new AddressSet(privateNetworks);

export const loopbackAddresses = new AddressSet(['127.0.0.0/8', '::1']);

/** Whether the peer came over a unix socket, which has no addresses. */
export function isUnixSocket(socket: Socket): boolean {
  if (socket.destroyed || socket.remoteAddress !== undefined) return false;
  const { server } = socket as { server?: { address?: () => unknown } };
  return typeof server?.address?.() === 'string';
}

function parseNetwork(cidr: unknown): Network {
  const [address = '', prefixText, ...rest] = typeof cidr === 'string' ? cidr.split('/') : [];
  const version = isIP(address);
  const widest = version === 4 ? 32 : 128;
  const prefix = prefixText === undefined ? widest : /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : -1;
  if (version === 0 || rest.length > 0 || prefix < 0 || prefix > widest) {
    throw new TypeError(
      `${typeof cidr === 'string' ? `\`${cidr}\`` : 'this'} is not an address or a network like 10.0.0.0/8.`,
    );
  }
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}
