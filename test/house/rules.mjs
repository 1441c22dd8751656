export const LIMITS = {
  filesPerFolder: 25,
  median: { least: 40, most: 90 },
  shortFile: 20,
  shortFilesPercent: 12,
  functionWithReason: 40,
  function: 60,
  commentColumns: 100,
};

/** Each rule of the house, what was found, and whether it is kept. */
export function verdicts({ folders, files, functions, wideComments }) {
  const crowded = folders.filter((folder) => folder.files > LIMITS.filesPerFolder);
  const median = medianOf(files.map(({ lines }) => lines));
  const short = files.filter(({ lines }) => lines < LIMITS.shortFile).length;
  const percent = (100 * short) / files.length;
  const tooLong = functions.filter(({ lines }) => lines > LIMITS.function);
  const unexplained = functions.filter(
    ({ lines, reason }) => lines > LIMITS.functionWithReason && lines <= LIMITS.function && !reason,
  );
  return [
    rule(`no folder with more than ${LIMITS.filesPerFolder} files`, crowded.length === 0, crowded.length),
    rule(
      `median of ${LIMITS.median.least} to ${LIMITS.median.most} lines per file`,
      median >= LIMITS.median.least && median <= LIMITS.median.most,
      `${median} in ${files.length} files`,
    ),
    rule(
      `at most ${LIMITS.shortFilesPercent} % of files under ${LIMITS.shortFile} lines`,
      percent <= LIMITS.shortFilesPercent,
      `${percent.toFixed(1)} % (${short} files)`,
    ),
    rule(`no function over ${LIMITS.function} lines`, tooLong.length === 0, tooLong.length),
    rule(
      `no function over ${LIMITS.functionWithReason} lines without a reason (a comment "Long because …" at its head)`,
      unexplained.length === 0,
      unexplained.length,
    ),
    rule(
      `no comment line over ${LIMITS.commentColumns} columns`,
      wideComments.length === 0,
      wideComments.length,
    ),
  ];
}

function rule(rule, kept, found) {
  return { rule, kept, found };
}

function medianOf(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
