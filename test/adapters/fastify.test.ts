import { clientCertificate, clientIdentityOf, requireChannel, requireClientIdentity } from '@peercert/fastify';
import createFastify from 'fastify';
import { describeAdapter, seen } from './adapter-contract';

describeAdapter({
  framework: 'fastify',
  async serve(...mounts) {
    const app = createFastify();
    for (const mount of mounts) {
      if ('guard' in mount) app.addHook('onRequest', requireClientIdentity(mount.guard));
      else if ('channel' in mount) app.addHook('onRequest', requireChannel(mount.channel));
      else await app.register(clientCertificate, mount);
    }
    app.get('/', async (request) => seen(request.clientIdentity, () => clientIdentityOf(request), request.raw));
    await app.ready();
    return app.server;
  },
  async serveUnmounted() {
    const app = createFastify();
    app.get('/', async (request) => clientIdentityOf(request));
    await app.ready();
    return app.server;
  },
});
