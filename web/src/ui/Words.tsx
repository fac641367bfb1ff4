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
