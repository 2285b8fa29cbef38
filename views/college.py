"""college"""

import streamlit as st

st.title("college")
