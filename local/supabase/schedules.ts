/** Stands in for the database's schedules, which need extensions that only hosted Supabase has. */
import type { Stack } from "../stack.ts";

const EVERY_MS = { "reconcile": 10 * 60_000, "report-usage": 60_000 };

/** Calls the scheduled functions at their intervals from now on. Returns a function that ends this. */
export function startSchedules(
  { urls, keys }: Stack,
  onLine: (name: string, line: string) => void,
): () => void {
  const timers = Object.entries(EVERY_MS).map(([name, every]) =>
    setInterval(async () => {
      try {
        const response = await fetch(`${urls.supabase}/functions/v1/${name}`, {
          method: "POST",
          headers: { apikey: keys.cronSecret },
        });
        const text = await response.text();
        if (!response.ok) onLine(name, `${response.status} ${text}`);
      } catch (error) {
        onLine(name, String(error));
      }
    }, every)
  );
  return () => timers.forEach((timer) => clearInterval(timer));
}
