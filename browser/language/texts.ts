/**
 * Every text of the plugin's pages, in every language.
 *
 * The texts are data without code, because each page carries those of its language as JSON. `{name}` stands for a
 * value. A text that depends on a number has a form for each plural category of its language
 * (https://www.unicode.org/cldr/charts/latest/supplemental/language_plural_rules.html).
 *
 * To add a language, add an object of type `Texts` and list it in `languages` at the end.
 */

/** A text for each plural category that the language has. */
export type Plural = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

/** What only the operator can repair. The billing overview tells the operator; people can only wait or ask. */
const needsOperator = (text: string): Record<string, string> => ({
  price_archived: text,
  price_missing: text,
  price_amount_refused: text,
  stripe_key_refused: text,
  stripe_permission_missing: text,
  stripe_mode_mismatch: text,
  stripe_account_not_activated: text,
  tax_not_configured: text,
  payment_methods_not_configured: text,
  portal_not_configured: text,
  return_address_refused: text,
  customer_missing: text,
  stripe_refused: text,
});

const en = {
  /** The locale of dates and numbers (BCP 47). */
  locale: "en",
  pages: {
    label: "Pages",
    billing: { title: "Plan and billing", short: "Plan" },
    assistant: { title: "Assistant", short: "Assistant" },
  },

  loading: "Loading the plan…",
  currentPlan: "Current plan",
  noLimits: "This plan has no limits.",
  plans: "Plans",
  yourPlan: "Your plan",
  upgradeTo: "Upgrade to {plan}",
  memberHint: "An admin of your community can upgrade.",
  manageBilling: "Manage billing",
  updateCard: "Update card",
  cancelSubscription: "Cancel subscription",
  changePlan: "Change plan",

  price: {
    day: { one: "{price} a day", other: "{price} every {count} days" } as Plural,
    week: { one: "{price} a week", other: "{price} every {count} weeks" } as Plural,
    month: { one: "{price} a month", other: "{price} every {count} months" } as Plural,
    year: { one: "{price} a year", other: "{price} every {count} years" } as Plural,
  },
  quantity: "{count} × {price}",
  limit: "{count} {feature} {window}",
  window: {
    atOnce: "at a time",
    calendarMonth: "every calendar month",
    day: { one: "every day", other: "every {count} days" } as Plural,
    hour: { one: "every hour", other: "every {count} hours" } as Plural,
    minute: { one: "every minute", other: "every {count} minutes" } as Plural,
    second: { one: "every second", other: "every {count} seconds" } as Plural,
  },
  moment: { time: "at {time}", date: "on {date}" },
  features: {
    ai_chat_message: { one: "AI chat message", other: "AI chat messages" },
    active_wizard: { one: "active wizard", other: "active wizards" },
  } as Record<string, Plural>,

  meter: {
    usedOf: "{used} of {limit}",
    left: { other: "{count} left" } as Plural,
    usedUp: "Limit reached",
    resets: "Next reset {when}",
    unused: "Nothing used yet",
    history: "{feature} in the last {days} days: {total} in all, at most {most} on one day",
  },

  subscription: {
    renews: "Renews on {date}.",
    trial: "Free trial until {date}{then}.",
    then: ", then {price}",
    discount: "{discount} off.",
    discountUntil: "{discount} off until {date}{then}.",
    collectionPaused: "Payments are paused.",
    collectionPausedUntil: "Payments are paused until {date}.",
    changesTo: "Changes to {next} on {date}.",
    changes: "The subscription changes on {date}.",
    ends: "Cancelled. {plan} stays until {date}.",
    resume: "You can resume it until then under “Manage billing”.",
    paused: "The subscription is paused.",
    paymentFailed: "The last payment did not go through.",
    paymentFailedSince: "The payment of {date} did not go through.",
    graceUntil: "{plan} stays until {date}.",
    planLost: "Your community is on {plan} until it is paid.",
    updateCard: "Update the card, and Stripe will try again.",
    askAdmin: "An admin can update the card.",
  },

  invoices: {
    heading: "Invoices",
    none: "There are no invoices yet.",
    view: "View",
    viewLabel: "View invoice {number}",
    pdf: "PDF",
    pdfLabel: "Invoice {number} as PDF",
    statuses: { open: "Due", paid: "Paid", uncollectible: "Unpaid", void: "Void" } as Record<string, string>,
  },

  redirect: {
    opening: { checkout: "Opening checkout…", portal: "Opening billing…" },
    stuckTitle: "Stripe could not be opened here",
    stuck: "Your browser did not leave this page. Open Stripe in a new tab. This page updates itself.",
    awayTitle: "Stripe is open in another tab",
    away: "Finish there. This page updates itself, so you don’t need to reload it.",
    open: "Open in a new tab",
    openAgain: "Open it again",
    backToPlan: "Back to the plan",
  },
  checkout: {
    heading: "Checkout",
    loading: "Loading the checkout…",
  },
  confirming: "Your plan is being updated. This takes a few seconds.",
  confirmationLate:
    "Your plan is not updated yet. Nothing is lost: a payment can take a few minutes to arrive here.",
  checkAgain: "Check again",
  retry: "Try again",

  toasts: {
    dismiss: "Dismiss",
    success: "Checkout complete. Thank you!",
    cancel: "Checkout cancelled. Nothing was charged and your plan is unchanged.",
    portal_return: "Welcome back. Your changes will appear here in a moment.",
    paid: "Payment received. Your community is on the {plan} plan.",
  },

  paywall: {
    title: "Plan limit reached",
    limit: "It includes {limit}, and {used} are used.",
    resets: "More become available {when}.",
    lifts: "{plan} includes {limit}.",
    askAdmin: "Ask an admin of your community to upgrade.",
    dismiss: "Not now",
  },

  assistant: {
    intro: "An assistant that repeats what you say. Each message counts towards your community’s plan.",
    field: "Your message",
    send: "Send",
    you: "You",
    assistant: "Assistant",
  },

  loadFailed: {
    title: "The plan could not be loaded",
    other: "Something went wrong on our side. Please try again.",
    codes: {
      parent_silent: "The community page is not responding. Are you still signed in there?",
      network_error: "The connection failed. Are you online?",
      not_member: "Only members of this community can see its plan.",
      parent_clock_ahead: "The clock of this community’s server is wrong. Please tell its operator.",
    } as Record<string, string>,
  },
  redirectFailed: {
    other: "Something went wrong. Nothing was charged; please try again.",
    codes: {
      not_admin: "Only admins of this community can do this.",
      already_subscribed: "This community already has a subscription. Its plan is shown below.",
      no_customer: "This community has no billing account yet.",
      no_subscription: "This community has no subscription to cancel.",
      plan_not_for_sale: "This plan cannot be bought at the moment.",
      stripe_unavailable: "The payment service is not responding. Nothing was charged; please try again.",
      stripe_busy: "The payment service is busy. Nothing was charged; please try again in a moment.",
      request_timed_out: "This took too long. Nothing was charged; please try again.",
      database_unavailable: "This did not work just now. Nothing was charged; please try again.",
      currency_conflict:
        "Your community already pays for something in another currency. End that first under “Manage billing”, then upgrade.",
      subscription_limit:
        "Your community has too many subscriptions. End one first under “Manage billing”, then upgrade.",
      address_required:
        "Your community’s billing address is missing. Add it under “Manage billing”, then upgrade.",
      ...needsOperator(
        "The payment service refused this, and trying again will not help. Nothing was charged. Please tell whoever runs this app.",
      ),
      network_error: "The connection failed. Nothing was charged; please try again.",
      parent_silent: "The community page is not responding. Nothing was charged; please try again.",
    } as Record<string, string>,
  },
  sendFailed: {
    other: "The message was not sent. Please try again.",
    codes: {
      network_error: "The connection failed. The message was not sent; please try again.",
      parent_silent: "The community page does not answer. Are you still signed in there?",
    } as Record<string, string>,
  },
  outsideTitle: "Open this page in your community",
  outside: "Plans and billing are part of your community’s page. Go there to see and change them.",
  scriptsNeeded: "This page needs JavaScript to show your community’s plan.",
  errorPage: {
    notFoundTitle: "Page not found",
    notFound: "The address may be wrong, or the page no longer exists.",
    failedTitle: "Something went wrong",
    failed: "This is our fault, not yours. Please try again in a moment.",
    home: "Go to plan and billing",
  },
};

export type Texts = typeof en;

const de: Texts = {
  locale: "de",
  pages: {
    label: "Seiten",
    billing: { title: "Tarif und Zahlung", short: "Tarif" },
    assistant: { title: "Assistent", short: "Assistent" },
  },

  loading: "Der Tarif wird geladen…",
  currentPlan: "Aktueller Tarif",
  noLimits: "Dieser Tarif hat keine Limits.",
  plans: "Tarife",
  yourPlan: "Euer Tarif",
  upgradeTo: "Zu {plan} wechseln",
  memberHint: "Admins deiner Community können den Tarif wechseln.",
  manageBilling: "Zahlung verwalten",
  updateCard: "Karte ändern",
  cancelSubscription: "Abo kündigen",
  changePlan: "Tarif wechseln",

  price: {
    day: { one: "{price} am Tag", other: "{price} alle {count} Tage" },
    week: { one: "{price} in der Woche", other: "{price} alle {count} Wochen" },
    month: { one: "{price} im Monat", other: "{price} alle {count} Monate" },
    year: { one: "{price} im Jahr", other: "{price} alle {count} Jahre" },
  },
  quantity: "{count} × {price}",
  limit: "{count} {feature} {window}",
  window: {
    atOnce: "gleichzeitig",
    calendarMonth: "im Kalendermonat",
    day: { one: "am Tag", other: "in {count} Tagen" },
    hour: { one: "in der Stunde", other: "in {count} Stunden" },
    minute: { one: "in der Minute", other: "in {count} Minuten" },
    second: { one: "in der Sekunde", other: "in {count} Sekunden" },
  },
  moment: { time: "um {time}", date: "am {date}" },
  features: {
    ai_chat_message: { one: "KI-Nachricht", other: "KI-Nachrichten" },
    active_wizard: { one: "aktiver Helfer", other: "aktive Helfer" },
  },

  meter: {
    usedOf: "{used} von {limit}",
    left: { other: "noch {count}" },
    usedUp: "Limit erreicht",
    resets: "Die nächsten frei {when}",
    unused: "Noch nichts verbraucht",
    history: "{feature} in den letzten {days} Tagen: {total} insgesamt, höchstens {most} an einem Tag",
  },

  subscription: {
    renews: "Verlängert sich am {date}.",
    trial: "Kostenlose Probezeit bis {date}{then}.",
    then: ", danach {price}",
    discount: "{discount} Rabatt.",
    discountUntil: "{discount} Rabatt bis {date}{then}.",
    collectionPaused: "Die Zahlungen sind ausgesetzt.",
    collectionPausedUntil: "Die Zahlungen sind bis {date} ausgesetzt.",
    changesTo: "Wechselt am {date} zu {next}.",
    changes: "Das Abo ändert sich am {date}.",
    ends: "Gekündigt. {plan} bleibt bis {date}.",
    resume: "Bis dahin kannst du die Kündigung unter „Zahlung verwalten“ zurücknehmen.",
    paused: "Das Abo ist pausiert.",
    paymentFailed: "Die letzte Zahlung ist fehlgeschlagen.",
    paymentFailedSince: "Die Zahlung vom {date} ist fehlgeschlagen.",
    graceUntil: "{plan} bleibt bis {date}.",
    planLost: "Bis zur Zahlung nutzt eure Community {plan}.",
    updateCard: "Ändere die Karte, dann versucht Stripe es noch einmal.",
    askAdmin: "Admins können die Karte ändern.",
  },

  invoices: {
    heading: "Rechnungen",
    none: "Es gibt noch keine Rechnungen.",
    view: "Ansehen",
    viewLabel: "Rechnung {number} ansehen",
    pdf: "PDF",
    pdfLabel: "Rechnung {number} als PDF",
    statuses: { open: "Offen", paid: "Bezahlt", uncollectible: "Unbezahlt", void: "Storniert" },
  },

  redirect: {
    opening: { checkout: "Kasse wird geöffnet…", portal: "Zahlung wird geöffnet…" },
    stuckTitle: "Stripe ließ sich hier nicht öffnen",
    stuck:
      "Dein Browser hat diese Seite nicht verlassen. Öffne Stripe in einem neuen Tab. Diese Seite aktualisiert sich von selbst.",
    awayTitle: "Stripe ist in einem anderen Tab offen",
    away:
      "Schließe den Vorgang dort ab. Diese Seite aktualisiert sich von selbst, du musst sie nicht neu laden.",
    open: "In neuem Tab öffnen",
    openAgain: "Noch einmal öffnen",
    backToPlan: "Zurück zum Tarif",
  },
  checkout: {
    heading: "Kasse",
    loading: "Die Kasse wird geladen…",
  },
  confirming: "Euer Tarif wird umgestellt. Das dauert ein paar Sekunden.",
  confirmationLate:
    "Euer Tarif ist noch nicht umgestellt. Es ist nichts verloren: Eine Zahlung kann ein paar Minuten brauchen.",
  checkAgain: "Noch einmal nachsehen",
  retry: "Noch einmal versuchen",

  toasts: {
    dismiss: "Schließen",
    success: "Bezahlvorgang abgeschlossen. Danke!",
    cancel: "Bezahlvorgang abgebrochen. Es wurde nichts berechnet, euer Tarif bleibt.",
    portal_return: "Willkommen zurück. Deine Änderungen erscheinen gleich hier.",
    paid: "Zahlung erhalten. Eure Community nutzt jetzt {plan}.",
  },

  paywall: {
    title: "Tariflimit erreicht",
    limit: "Er enthält {limit}, davon sind {used} verbraucht.",
    resets: "Weitere gibt es {when}.",
    lifts: "{plan} enthält {limit}.",
    askAdmin: "Bitte Admins deiner Community um den Wechsel.",
    dismiss: "Jetzt nicht",
  },

  assistant: {
    intro: "Ein Assistent, der wiederholt, was du sagst. Jede Nachricht zählt zum Tarif deiner Community.",
    field: "Deine Nachricht",
    send: "Senden",
    you: "Du",
    assistant: "Assistent",
  },

  loadFailed: {
    title: "Der Tarif ließ sich nicht laden",
    other: "Bei uns ist etwas schiefgegangen. Bitte versuche es noch einmal.",
    codes: {
      parent_silent: "Die Seite der Community antwortet nicht. Bist du dort noch angemeldet?",
      network_error: "Die Verbindung ist fehlgeschlagen. Bist du online?",
      not_member: "Nur Mitglieder dieser Community können ihren Tarif sehen.",
      parent_clock_ahead: "Die Uhr des Servers dieser Community geht falsch. Bitte sage es dem Betreiber.",
    },
  },
  redirectFailed: {
    other: "Etwas ist schiefgegangen. Es wurde nichts berechnet; bitte versuche es noch einmal.",
    codes: {
      not_admin: "Das können nur Admins dieser Community.",
      already_subscribed: "Diese Community hat schon ein Abo. Ihr Tarif steht unten.",
      no_customer: "Diese Community hat noch kein Zahlungskonto.",
      no_subscription: "Diese Community hat kein Abo, das du kündigen kannst.",
      plan_not_for_sale: "Dieser Tarif ist gerade nicht erhältlich.",
      stripe_unavailable:
        "Der Zahlungsdienst antwortet nicht. Es wurde nichts berechnet; bitte versuche es noch einmal.",
      stripe_busy:
        "Der Zahlungsdienst ist überlastet. Es wurde nichts berechnet; bitte versuche es gleich noch einmal.",
      request_timed_out:
        "Das hat zu lange gedauert. Es wurde nichts berechnet; bitte versuche es noch einmal.",
      database_unavailable:
        "Das hat gerade nicht geklappt. Es wurde nichts berechnet; bitte versuche es noch einmal.",
      currency_conflict:
        "Eure Community zahlt schon etwas in einer anderen Währung. Beende das zuerst unter „Zahlung verwalten“ und wechsle dann den Tarif.",
      subscription_limit:
        "Eure Community hat zu viele Abos. Beende zuerst eines unter „Zahlung verwalten“ und wechsle dann den Tarif.",
      address_required:
        "Die Rechnungsadresse eurer Community fehlt. Trage sie unter „Zahlung verwalten“ ein und wechsle dann den Tarif.",
      ...needsOperator(
        "Der Zahlungsdienst hat das abgelehnt, und noch ein Versuch hilft nicht. Es wurde nichts berechnet. Bitte sag den Betreibern dieser App Bescheid.",
      ),
      network_error:
        "Die Verbindung ist fehlgeschlagen. Es wurde nichts berechnet; bitte versuche es noch einmal.",
      parent_silent:
        "Die Seite der Community antwortet nicht. Es wurde nichts berechnet; bitte versuche es noch einmal.",
    },
  },
  sendFailed: {
    other: "Die Nachricht wurde nicht gesendet. Bitte versuche es noch einmal.",
    codes: {
      network_error: "Die Verbindung ist fehlgeschlagen. Die Nachricht wurde nicht gesendet.",
      parent_silent: "Die Seite der Community antwortet nicht. Bist du dort noch angemeldet?",
    },
  },
  outsideTitle: "Öffne diese Seite in deiner Community",
  outside: "Tarif und Zahlung gehören zur Seite deiner Community. Dort siehst und änderst du sie.",
  scriptsNeeded: "Diese Seite braucht JavaScript, um den Tarif deiner Community zu zeigen.",
  errorPage: {
    notFoundTitle: "Seite nicht gefunden",
    notFound: "Vielleicht ist die Adresse falsch, oder die Seite gibt es nicht mehr.",
    failedTitle: "Etwas ist schiefgegangen",
    failed: "Das liegt an uns, nicht an dir. Bitte versuche es gleich noch einmal.",
    home: "Zu Tarif und Zahlung",
  },
};

/** The first one is used for readers of any other language. */
export const languages: [Texts, ...Texts[]] = [en, de];
