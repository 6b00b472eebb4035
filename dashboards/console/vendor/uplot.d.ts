// Types of vendor/uplot.js, as far as the pages use it.
export default class uPlot {
  constructor(options: any, data: any, target: HTMLElement);
  setData(data: any): void;
  destroy(): void;
}
