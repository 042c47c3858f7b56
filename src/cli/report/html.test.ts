import { expect, test } from "vitest";
import { escapeHtml } from "./html.ts";

test("text of others is text", () => expect(escapeHtml(`<a href='"'>&\u0007`)).toBe("&lt;a href=&#39;&quot;&#39;&gt;&amp;\ufffd"));
