import { type Html, html } from "./html.ts";
import { communities, type Community, isAdmin, people, type Person } from "./people.ts";

/** What a community page shows. */
export interface PageData {
  community: Community;
  /** Null when nobody is signed in. */
  person: Person | null;
  /** The plugin the address names, or null on the community's main page. */
  pluginId: string | null;
  /** The address of this page, without query. */
  path: string;
  pluginUrl: string;
  extraOpenOrigins: string[];
}

/**
 * The least a Dues iframe needs to work in every browser. Top-level navigation is for the way to Stripe, pop-ups for
 * links to invoices.
 */
const SANDBOX = [
  "allow-scripts",
  "allow-same-origin",
  "allow-forms",
  "allow-popups",
  "allow-popups-to-escape-sandbox",
  "allow-top-navigation-by-user-activation",
].join(" ");

/** A community's page: its plan in an iframe of the plugin, or a way to sign in. */
export function communityPage(data: PageData): string {
  const { community, person } = data;
  return page(
    community.title,
    html`
      <header class="bar">
        <a class="brand" href="/">Commons</a>
        ${person ? personMenu(data, person) : ""}
      </header>
      <div class="frame">
        <nav class="communities" aria-label="Your communities">
          ${communities.map((each) => communityLink(each, each === community))}
        </nav>
        <main>
          <div class="cover" data-community="${community.id}"></div>
          <h1>${community.title}</h1>
          <p class="tagline">${community.tagline} · ${String(community.members.length)} members</p>
          <nav class="tabs" aria-label="${community.title}">
            <span>Feed</span><span>Events</span><span>Members</span>
            <a href="${data.path}" aria-current="page">Plan</a>
          </nav>
          ${person ? pluginFrame(data) : signInPanel(data)}
        </main>
      </div>
    `,
    person
      ? html`
        <script
          src="/dues-parent.js"
          data-plugin-origin="${data.pluginUrl}"
          data-extra-open-origins="${data.extraOpenOrigins.join(" ")}"
          defer
        ></script>
      `
      : html``,
  );
}

/** A page that says that nothing is here. */
export function notFoundPage(): string {
  return page(
    "Not found",
    html`
      <main class="alone">
        <h1>Nothing here</h1>
        <p><a href="/">To your communities</a></p>
      </main>
    `,
    html``,
  );
}

function page(title: string, body: Html, script: Html): string {
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${title} · Commons</title>
        <link rel="stylesheet" href="/style.css">
        <link rel="icon" href="data:,">
      </head>
      <body>${body}${script}</body>
    </html>
  `.text;
}

function communityLink(community: Community, isCurrent: boolean): Html {
  return html`
    <a href="/c/${community.id}/" ${isCurrent ? html`aria-current="page"` : ""}>
      <span class="mark" data-community="${community.id}" aria-hidden="true">${community.title[0]}</span>
      <span>${community.title}</span>
    </a>
  `;
}

function personMenu(data: PageData, person: Person): Html {
  const role = isAdmin(data.community, person) ? "admin" : "member";
  return html`<div class="person">
    <span class="avatar" aria-hidden="true">${person.initials}</span>
    <span class="name">${person.name} <small>${role}</small></span>
    ${people.filter((other) => other !== person).map((other) => signInButton(data, other, "Switch to"))}
  </div>`;
}

function signInPanel(data: PageData): Html {
  return html`<section class="sign-in" aria-labelledby="sign-in">
    <h2 id="sign-in">Sign in to see the plan</h2>
    <p>This is a demo: pick who you are.</p>
    ${people.map((person) => signInButton(data, person, "Continue as"))}
  </section>`;
}

function signInButton({ community, path }: PageData, person: Person, verb: string): Html {
  const role = isAdmin(community, person) ? "admin" : "member";
  return html`
    <form method="post" action="/sign-in">
      <input type="hidden" name="returnTo" value="${path}">
      <button name="personId" value="${person.id}">${verb} ${person.name} (${role})</button>
    </form>
  `;
}

function pluginFrame({ path, pluginId, pluginUrl }: PageData): Html {
  return html`
    <iframe
      data-dues
      ${pluginId === null ? "" : html`data-dues-plugin-id="${pluginId}"`}
      data-dues-token-url="${path}dues-token"
      src="${pluginUrl}/"
      title="Plan and billing"
      sandbox="${SANDBOX}"
    ></iframe>
  `;
}
