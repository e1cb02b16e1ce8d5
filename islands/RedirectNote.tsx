import { stopWaiting } from "../browser/stripe/stripe_return.ts";
import { departure } from "../browser/plan/billing_store.ts";
import { followToNewTab } from "../browser/stripe/stripe_redirect.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import Note from "../components/Note.tsx";

/** Stands in for what was left while Stripe could not be opened here, or is open in another tab. */
export default function DepartureNote() {
  const { texts: { departure: texts } } = pageLanguage();
  const isAway = departure.value?.phase === "away";
  return (
    <Note
      title={isAway ? texts.awayTitle : texts.stuckTitle}
      text={isAway ? texts.away : texts.stuck}
      isBusy={isAway}
      takesFocus
    >
      <div class="actions">
        <a
          class={isAway ? "button" : "button primary"}
          href={departure.value?.url}
          target="_blank"
          rel="noopener"
          onClick={followToNewTab}
        >
          {isAway ? texts.openAgain : texts.open}
        </a>
        <button type="button" class="button plain" onClick={stopWaiting}>{texts.stop}</button>
      </div>
    </Note>
  );
}
