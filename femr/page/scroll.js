() => {
  // on a narrow window the answer stands under the button; of the two only the open tab's is drawn
  const answer = [...document.querySelectorAll('#mood, #summary')].find((element) => element.offsetParent);
  if (innerWidth < 641 && answer) answer.scrollIntoView({behavior: 'smooth'});
}
