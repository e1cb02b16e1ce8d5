import { pageLanguage } from "../browser/language/page_language.ts";
import { dismissToast, toasts } from "../browser/toasts.ts";

/** The current notices. Announced by screen readers. */
export default function Toasts() {
  return (
    <div class="toasts" role="status">
      {toasts.value.map(({ id, tone, text }) => (
        <div key={id} class="toast" data-tone={tone}>
          <p>{text}</p>
          <button
            type="button"
            class="dismiss"
            aria-label={pageLanguage().texts.toasts.dismiss}
            onClick={() => dismissToast(id)}
          />
        </div>
      ))}
    </div>
  );
}
