import { texts } from "../browser/texts.ts";

/** Stands where the plan will be, about as tall, so that little moves when it arrives. */
export default function Skeleton() {
  return (
    <div class="cards" aria-busy="true">
      <p class="visually-hidden">{texts.loading}</p>
      <div class="card skeleton" aria-hidden="true">
        <span class="line short" />
        <span class="line title" />
        <span class="line" />
        <span class="line" />
      </div>
      <div class="card skeleton" aria-hidden="true">
        <span class="line short" />
        <span class="line title" />
        <span class="line" />
        <span class="line" />
      </div>
    </div>
  );
}
