// How wide there is room, in CSS pixels.
import { useEffect, useState } from "../vendor/preact.js";

/** @param {any} ref @returns {number} 0 until it is known */
export function useWidth(ref) {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    if (ref.current) observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return width;
}

/** How wide and how tall something is, in CSS pixels. @param {any} ref @returns {{width: number, height: number}} 0 until it is known */
export function useSize(ref) {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const observer = new ResizeObserver(([{ contentRect }]) => setSize({ width: Math.floor(contentRect.width), height: Math.floor(contentRect.height) }));
    if (ref.current) observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return size;
}

/** A colour of the present scheme. @param {string} name @returns {string} */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The size of the page's text, in CSS pixels: larger on a wall. @returns {number} */
export const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
