import { createAuthority } from '@peercert/testkit';
import { originServerOptions } from '@peercert/core';
import https from 'node:https'; import http2 from 'node:http2'; import { once } from 'node:events';
it('x', async () => {
  const root = createAuthority(); const inter = root.issueIntermediate(); const leaf = inter.issue({uris:['urn:x']});
  const server = https.createServer({ key: leaf.privateKeyPem, cert: leaf.pem, ...originServerOptions() }, (req, res) => {
    let n: any = (req.socket as any).getPeerX509Certificate(); const list=[]; let i=0; while (n && i++<40) { list.push(n.raw.length+':'+n.subject); n = n.issuerCertificate; }
    res.end(JSON.stringify(list));
  }).listen(0); await once(server,'listening');
  for (const [name,cert] of [['dup leaf', leaf.pem+leaf.pem+inter.pem],['dup inter', leaf.pem+inter.pem+inter.pem+root.pem],['root twice', leaf.pem+inter.pem+root.pem+root.pem],['alt', leaf.pem+inter.pem+leaf.pem+inter.pem],['root only', root.pem]]) {
    const body = await new Promise((ok,no)=>https.get({port:(server.address() as any).port, key: name==='root only'?root.privateKeyPem:leaf.privateKeyPem, cert, rejectUnauthorized:false, agent:false} as any, r=>{let s='';r.on('data',d=>s+=d).on('end',()=>ok(s))}).on('error',no));
    console.log(name, body);
  }
  server.close();
});
it('h2', async () => {
  const root = createAuthority(); const leaf = root.issue();
  const server = http2.createSecureServer({ key: leaf.privateKeyPem, cert: leaf.pem, ...originServerOptions(), allowHTTP1: true }, (req, res) => {
    console.log(req.rawHeaders, req.headers, 'headersDistinct' in req, 'encrypted' in req.socket, (req.socket as any).server === server, (req.socket as any).server?.maxHeadersCount);
    res.end('ok');
  }).listen(0); await once(server,'listening');
  const c = http2.connect('https://localhost:'+(server.address() as any).port, {rejectUnauthorized:false, key: leaf.privateKeyPem, cert: leaf.pem});
  const s = c.request({':path':'/', 'client-cert': [':AA:', ':BB:'], 'x-a': 'b'} as any); s.resume(); s.end();
  await once(s,'end'); c.close(); server.close();
});
