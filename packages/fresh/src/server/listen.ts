/** Where to listen; every option of `Deno.serve`. */
export type ListenOptions = Partial<Deno.ServeTcpOptions>;

/** Answers requests; what `Deno.serve` and `deno serve` call. */
export type RequestHandler = (req: Request, info?: Deno.ServeHandlerInfo) => Response | Promise<Response>;

const FIRST_PORT = 8000;
const LAST_PORT = 8019;

/** Serves until the process ends or the signal fires. A given port that is taken throws `Deno.errors.AddrInUse`. */
export function serve(handler: RequestHandler, options: ListenOptions): Promise<void> {
  if (options.port !== undefined) return Deno.serve(options, handler).finished;
  for (let port = FIRST_PORT;; port++) {
    try {
      return Deno.serve({ ...options, port }, handler).finished;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || port === LAST_PORT) throw error;
    }
  }
}
