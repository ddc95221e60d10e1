/**
 * Whom the page asks as. The token lives in this module and nowhere else: in no storage, no cookie, no address.
 */
import { useSyncExternalStore } from "react";

/** A token, and what it says of itself. */
export interface Held {
  token: string;
  client: string;
  space: string;
  purpose: string;
  scopes: string[];
  /** Units: milliseconds, by this machine's clock. */
  ends: number;
}

export type Access =
  | { state: "none" }
  | { state: "asking" }
  | { state: "held"; held: Held }
  | { state: "refused"; sentence: string };

/** How the next token is had; nobody but the sandbox has a way. */
type Mint = () => Promise<string>;

/** Units: milliseconds before its end at which a token is renewed. */
const EARLY = 45_000;
const OVER = "The token is over, or is about to be. Paste a new one under “Run as”.";

let access: Access = { state: "none" };
let mint: Mint | undefined;
let renewal: number | undefined;
let turn = 0;
const listeners = new Set<() => void>();

/** What is shown, and again whenever it changes. */
export function useAccess(): Access {
  return useSyncExternalStore(subscribe, () => access);
}

/** Run with tokens that are minted here, and renewed before they end. */
export async function runWith(source: Mint): Promise<void> {
  forget();
  mint = source;
  become({ state: "asking" });
  await renew();
}

/** Run with a token that somebody pasted, for as long as it lasts. */
export function runWithToken(text: string): void {
  forget();
  const held = read(text.trim());
  if (!held) {
    become({ state: "refused", sentence: "This is no access token of Homeroom’s. Paste the value of access_token." });
  } else if (held.ends <= Date.now()) {
    become({ state: "refused", sentence: "This token is over: tokens last a few minutes. Get a new one." });
  } else {
    become({ state: "held", held });
  }
}

/** Let the token go. */
export function forget(): void {
  turn += 1;
  mint = undefined;
  window.clearTimeout(renewal);
  become({ state: "none" });
}

/** The token to ask with, a fresh one if there is a way to it. Throws an Error whose message says what to do. */
export async function currentToken(): Promise<string> {
  if (mint && (access.state !== "held" || access.held.ends - Date.now() < EARLY / 2)) await renew();
  if (access.state === "refused") throw new Error(access.sentence);
  if (access.state !== "held") throw new Error("There is no token yet. Choose whom to run as, under “Run as”.");
  if (access.held.ends <= Date.now()) throw new Error(OVER);
  return access.held.token;
}

async function renew(): Promise<void> {
  if (!mint) return;
  window.clearTimeout(renewal);
  const mine = ++turn;
  try {
    const held = read(await mint());
    if (mine !== turn) return; // another vendor was chosen meanwhile
    if (!held) throw new Error("The sandbox gave something that is no token.");
    become({ state: "held", held });
    renewal = window.setTimeout(() => void renew(), Math.max(held.ends - Date.now() - EARLY, 1_000));
  } catch (error) {
    if (mine === turn) become({ state: "refused", sentence: error instanceof Error ? error.message : String(error) });
  }
}

/** What a token says of itself. Only the server can tell whether it is true. Spec: RFC 9068. */
function read(token: string): Held | undefined {
  try {
    const [, body = ""] = token.split(".");
    const bytes = Uint8Array.from(atob(body.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
    const said = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    const { client_id: client, aud, purpose, scope, exp } = said;
    if (typeof client !== "string" || typeof aud !== "string" || typeof purpose !== "string") return undefined;
    if (typeof scope !== "string" || typeof exp !== "number") return undefined;
    const scopes = scope.split(" ").filter(Boolean).sort();
    return { token, client, space: aud.replace(/^.*\/spaces\//, ""), purpose, scopes, ends: exp * 1_000 };
  } catch {
    return undefined;
  }
}

function become(next: Access): void {
  access = next;
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
