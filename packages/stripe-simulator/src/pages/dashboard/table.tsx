import type { ComponentChildren } from "preact";

/** The number of rows that a table shows. */
export const shown = 50;

interface TableProps {
  title: string;
  /** The number of all rows, also those not shown. */
  count: number;
  columns: string[];
  children: ComponentChildren;
}

export function Table({ title, count, columns, children }: TableProps) {
  const id = title.toLowerCase().replaceAll(" ", "-");
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title} ({count})</h2>
      {count === 0 ? <p>None yet.</p> : (
        <div class="scroll" tabIndex={0} role="region" aria-labelledby={id}>
          <table>
            <thead>
              <tr>{columns.map((column) => <th key={column} scope="col">{column}</th>)}</tr>
            </thead>
            <tbody>{children}</tbody>
          </table>
        </div>
      )}
      {count > shown && <p class="small">The newest {shown} are shown.</p>}
    </section>
  );
}

/** A status as a coloured badge: `past due` for `past_due`. */
export function Status({ status }: { status: string }) {
  return <span class={`badge ${status}`}>{status.replaceAll("_", " ")}</span>;
}
