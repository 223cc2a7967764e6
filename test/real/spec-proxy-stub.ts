import http from "node:http";
export class SpecProxy {
  deviations: { side: string; operation: string; problem: string }[] = [];
  log: string[] = [];
  constructor(readonly server: http.Server, readonly url: string) {}
  static async start({ target }: { target: string }): Promise<SpecProxy> {
    const t = new URL(target);
    const log: string[] = [];
    const server = http.createServer((req, res) => {
      const entry = `${req.method} ${req.url}`;
      const up = http.request({ host: t.hostname, port: t.port, method: req.method, path: req.url, headers: req.headers }, (answer) => {
        log.push(`${entry} ${answer.statusCode}`);
        res.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(res);
        answer.on("error", () => res.destroy());
      });
      up.on("error", () => res.destroy());
      req.pipe(up);
      const chunks: Buffer[] = [];
      req.on("data", (c: Buffer) => chunks.push(c));
      req.on("close", () => {
        if (!(req.url ?? "").includes("/transactions/")) return;
        const text = Buffer.concat(chunks).toString();
        let what = "incomplete";
        try { what = JSON.parse(text).events.map((e: any) => `${e.content.body ?? e.type}`).join(","); } catch {}
        log.push(`   ${entry} complete=${req.complete} ${what}`);
      });
    });
    await new Promise<void>((r) => server.listen(0, "127.0.0.1", r));
    const a = server.address();
    const p = new SpecProxy(server, `http://127.0.0.1:${(a as { port: number }).port}`);
    p.log = log;
    return p;
  }
  async close() { this.server.closeAllConnections(); await new Promise((r) => this.server.close(r)); }
}
