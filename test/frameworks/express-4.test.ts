import { createServer } from 'node:http';
import { clientCertificate, clientIdentityOf, requireChannel, requireClientIdentity } from '@peercert/express';
import express from 'express4';
import { describeAdapter, seen } from '../adapters/adapter-contract';

describeAdapter({
  framework: 'express with Express 4',
  async serve(...mounts) {
    const app = express();
    for (const mount of mounts) {
      if ('guard' in mount) app.use(requireClientIdentity(mount.guard));
      else if ('channel' in mount) app.use(requireChannel(mount.channel));
      else app.use(clientCertificate(mount));
    }
    app.get('/', (req, res) => void res.json(seen(req.clientIdentity, () => clientIdentityOf(req), req)));
    return createServer(app);
  },
  async serveUnmounted() {
    const app = express();
    app.set('env', 'test');
    app.get('/', (req, res) => void res.json(clientIdentityOf(req)));
    return createServer(app);
  },
});
