import { texts } from "../browser/texts.ts";
import { dismissToast, toasts } from "../browser/toasts.ts";

/** Passing notices, read aloud by screen readers as they come. */
export default function Toasts() {
  return (
    <div class="toasts" role="status">
      {toasts.value.map(({ id, tone, text }) => (
        <div key={id} class="toast" data-tone={tone}>
          <p>{text}</p>
          <button type="button" class="dismiss" aria-label={texts.dismiss} onClick={() => dismissToast(id)} />
        </div>
      ))}
    </div>
  );
}
