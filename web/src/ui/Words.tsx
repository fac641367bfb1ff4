/** A sentence in which `names` stand between backticks. */
export function Words({ text }: { text: string }) {
  return (
    <>
      {text
        .split(/(`[^`]+`)/)
        .map((piece, index) =>
          piece.startsWith("`") && piece.length > 1 ? <code key={index}>{piece.slice(1, -1)}</code> : piece,
        )}
    </>
  );
}

/** A fragment, as errors and findings come, where it stands beside whole sentences. */
export function Sentence({ text }: { text: string }) {
  return <Words text={text.charAt(0).toUpperCase() + text.slice(1) + (/[.?!]$/.test(text) ? "" : ".")} />;
}
