/** The panel “Run as”: whom the page asks as, what that vendor may ask for, and queries to begin with. */
import type { GraphiQLPlugin } from "@graphiql/react";
import { useEffect, useId, useState, type FormEvent, type ReactNode } from "react";

import { forget, runWith, runWithToken, useAccess } from "./access";
import { ReadyQueries } from "./ready-queries";
import { findSandbox, firstPurpose, isSandbox, mintToken, type As, type Sandbox } from "./sandbox";

export const RUN_AS: GraphiQLPlugin = { title: "Run as", icon: Icon, content: RunAs };

function RunAs() {
  return (
    <div className="homeroom-panel">
      <h1>Run as</h1>
      {isSandbox ? <ChooseVendor /> : <PasteToken />}
      <ReadyQueries />
      <Token />
    </div>
  );
}

let found: Sandbox | undefined; // the panel is closed and opened again; what was found and chosen stays
let chosen: As | undefined;

/** Choose one of the sandbox’s vendors, and hold a token of it from then on. */
export async function beginAsFirstVendor(): Promise<void> {
  found = await findSandbox();
  const [vendor] = found.vendors;
  const [district] = found.districts;
  if (vendor && district) choose({ client: vendor.client, space: district.space, purpose: firstPurpose(vendor, district) });
}

function choose(as: As): void {
  chosen = as;
  void runWith(() => mintToken(as));
}

function ChooseVendor() {
  const access = useAccess();
  const [problem, setProblem] = useState("");
  const begin = () => {
    setProblem("");
    beginAsFirstVendor().catch((error: Error) => setProblem(error.message));
  };
  useEffect(() => {
    if (!found) begin();
  }, []);
  if (!found || !chosen) {
    return problem ? (
      <p role="alert" className="homeroom-problem">
        {problem} <button onClick={begin}>Try again</button>
      </p>
    ) : (
      <p>Looking for the sandbox’s vendors …</p>
    );
  }
  const { districts, vendors } = found;
  const as = chosen;
  const vendor = vendors.find((one) => one.client === as.client);
  const district = districts.find((one) => one.space === as.space);
  if (!vendor || !district) return null;
  const granted = vendor.grants[district.space] ?? [];
  const purposes = [...new Set([...Object.keys(district.purposes), ...granted])];
  const grantedFor = (word: string) => (granted.includes(word) ? word : `${word} (no grant)`);
  return (
    <>
      <Choice
        label="Vendor"
        value={as.client}
        options={vendors.map((one) => [one.client, one.client])}
        onChange={(client) => {
          const next = vendors.find((one) => one.client === client) ?? vendor;
          choose({ ...as, client, purpose: firstPurpose(next, district) });
        }}
      >
        {vendor.about}
      </Choice>
      <Choice
        label="District"
        value={as.space}
        options={districts.map((one) => [one.space, one.name])}
        onChange={(space) => {
          const next = districts.find((one) => one.space === space) ?? district;
          choose({ ...as, space, purpose: firstPurpose(vendor, next) });
        }}
      >
        <code>{as.space}</code>
      </Choice>
      <Choice
        label="Purpose"
        value={as.purpose}
        options={purposes.map((word) => [word, grantedFor(word)])}
        onChange={(purpose) => choose({ ...as, purpose })}
      >
        {district.purposes[as.purpose]}
      </Choice>
      <div aria-live="polite">
        {access.state === "asking" && <p>Getting a token …</p>}
        {access.state === "refused" && <p className="homeroom-problem">{access.sentence}</p>}
        {access.state === "held" && !granted.includes(as.purpose) && (
          <p className="homeroom-note">
            {vendor.client} has no grant here for this purpose: every field that it asks for is withheld.
          </p>
        )}
      </div>
    </>
  );
}

function PasteToken() {
  const access = useAccess();
  const [text, setText] = useState("");
  const field = useId();
  const take = (event: FormEvent) => {
    event.preventDefault();
    runWithToken(text);
    setText("");
  };
  return (
    <>
      <form onSubmit={take}>
        <label htmlFor={field}>Access token</label>
        <textarea
          id={field}
          value={text}
          onChange={(event) => setText(event.target.value)}
          rows={4}
          required
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
        />
        <p>
          The value of <code>access_token</code> that <code>/oauth/token</code> gives. It stays in this page’s memory, and is
          gone when the page is.
        </p>
        <div className="homeroom-buttons">
          <button>Use this token</button>
          {access.state === "held" && (
            <button type="button" onClick={forget}>
              Forget it
            </button>
          )}
        </div>
      </form>
      <div aria-live="polite">
        {access.state === "refused" && <p className="homeroom-problem">{access.sentence}</p>}
        {access.state === "held" && (
          <p>
            You run as <strong>{access.held.client}</strong> in <code>{access.held.space}</code> for{" "}
            {access.held.purpose}.
          </p>
        )}
      </div>
    </>
  );
}

function Token() {
  const access = useAccess();
  if (access.state !== "held") return null;
  const { scopes, ends } = access.held;
  return (
    <section>
      <h2>Scopes held</h2>
      <ul className="homeroom-scopes">
        {scopes.map((scope) => (
          <li key={scope}>{scope}</li>
        ))}
      </ul>
      <p>
        The token is in this page’s memory alone.{" "}
        {isSandbox ? "It is renewed before it ends." : `It ends at ${new Date(ends).toLocaleTimeString()}.`}
      </p>
    </section>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: [value: string, text: string][];
  onChange: (value: string) => void;
  children: ReactNode;
}

function Choice({ label, value, options, onChange, children }: ChoiceProps) {
  const field = useId();
  return (
    <div className="homeroom-choice">
      <label htmlFor={field}>{label}</label>
      <select
        id={field}
        value={value}
        aria-describedby={`${field}-about`}
        onChange={(event) => onChange(event.target.value)}
      >
        {options.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
      <p id={`${field}-about`}>{children}</p>
    </div>
  );
}

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" aria-hidden="true">
      <circle cx="12" cy="8" r="4" />
      <path d="M4.5 20.5c.6-4 3.6-6 7.5-6s6.9 2 7.5 6" />
    </svg>
  );
}
