import { createServer } from 'node:http';
import {
  clientCertificate,
  type ClientCertificateState,
  clientIdentityOf,
  requireChannel,
  requireClientIdentity,
} from '@peercert/koa';
import Koa from 'koa2';
import { describeAdapter, seen } from '../adapters/adapter-contract';

describeAdapter({
  framework: 'koa with Koa 2',
  async serve(...mounts) {
    const app = new Koa<ClientCertificateState>();
    for (const mount of mounts) {
      if ('guard' in mount) app.use(requireClientIdentity(mount.guard));
      else if ('channel' in mount) app.use(requireChannel(mount.channel));
      else app.use(clientCertificate(mount));
    }
    app.use((ctx) => {
      ctx.body = seen(ctx.state.clientIdentity, () => clientIdentityOf(ctx), ctx.req);
    });
    return createServer(app.callback());
  },
  async serveUnmounted() {
    const app = new Koa();
    app.silent = true;
    app.use((ctx) => {
      ctx.body = clientIdentityOf(ctx);
    });
    return createServer(app.callback());
  },
});
