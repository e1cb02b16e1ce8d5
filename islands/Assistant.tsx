import type { ComponentChildren } from "preact";
import { conversation, isSending, say } from "../browser/assistant.ts";
import { pageLanguage } from "../browser/page_language.ts";

/**
 * A conversation with an assistant that repeats what it hears: the least that a feature with a limit can be. The
 * children are what the server has written of the form.
 */
export default function Assistant({ children }: { children: ComponentChildren }) {
  return (
    <section class="card assistant">
      <div role="log">
        <ul class="conversation">
          {conversation.value.map(({ from, text }, n) => (
            <li key={n} data-from={from}>
              <span class="visually-hidden">{pageLanguage().texts.assistant[from]}:</span> {text}
            </li>
          ))}
        </ul>
      </div>
      <form onSubmit={send} aria-busy={isSending.value}>{children}</form>
    </section>
  );
}

async function send(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const form = event.currentTarget as HTMLFormElement;
  const text = String(new FormData(form).get("text")).trim();
  if (text !== "" && await say(text)) form.reset();
}
