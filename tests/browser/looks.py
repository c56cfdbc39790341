"""What is wrong with the looks of plots, asked of the browser that draws them."""

from __future__ import annotations

from typing import Final

# Heights of all texts in pixels of the screen.
TEXT_SIZES: Final = """() => [...document.querySelectorAll("svg.chart text")].map(text => {
    const svg = text.ownerSVGElement;
    return parseFloat(getComputedStyle(text).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
})"""
# Texts beyond the edge of their picture are cut off.
CUT_TEXTS: Final = """() => [...document.querySelectorAll("svg.chart text")].filter(text => {
    const own = text.getBoundingClientRect(), all = text.ownerSVGElement.getBoundingClientRect();
    return own.left < all.left - 1 || own.right > all.right + 1 || own.top < all.top - 1 || own.bottom > all.bottom + 1;
}).map(text => text.textContent)"""
# Texts that cover each other, by more than the empty rim of their boxes.
OVERPRINTED_TEXTS: Final = """() => [...document.querySelectorAll("svg.chart")].flatMap(svg => {
    const texts = [...svg.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()]);
    return texts.flatMap(([one, a], place) => texts.slice(place + 1)
        .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4)
        .map(([other]) => `${one} / ${other}`));
})"""
