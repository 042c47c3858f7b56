/** The admin token: entered once, kept until the tab is closed. */
import { useState } from "preact/hooks";
import { Dialog } from "../parts/dialog.tsx";

export interface TokenDialogProps {
  readonly token: string | undefined;
  readonly setToken: (token: string | undefined) => void;
  readonly close: () => void;
}

export function TokenDialog({ token, setToken, close }: TokenDialogProps) {
  const [text, setText] = useState("");
  return (
    <Dialog title="Admin token" close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() === "") return;
          setToken(text.trim());
          close();
        }}
      >
        <p>
          Without it this page only reads. It is the content of <code>admin.token</code> in the server's state folder, and is kept in this
          tab until it is closed.
        </p>
        <TokenField text={text} setText={setText} />
        <div class="buttons">
          {token !== undefined && (
            <button
              type="button"
              onClick={() => {
                setToken(undefined);
                close();
              }}
            >
              Forget the token
            </button>
          )}
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={text.trim() === ""}>
            Use it
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function TokenField({ text, setText }: { readonly text: string; readonly setText: (text: string) => void }) {
  return (
    <label class="field">
      Token
      <input type="password" value={text} autocomplete="off" spellcheck={false} onInput={(event) => setText(event.currentTarget.value)} />
    </label>
  );
}
